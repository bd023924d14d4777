"""Each error that ends a run or a file becomes one sentence with a remedy."""

import errno

import pytest
import torch

from core import CheckpointError, NetworkError, RequestError
from demo.compute import ClosingError
from demo.failures import DISK, FOLDER, MEMORY, failure


@pytest.mark.parametrize(
    ("error", "sentence", "outcome"),
    [(RequestError("Give less."), "Give less.", "refused"),
     (CheckpointError("Give more."), "Give more.", "refused"),
     (NetworkError("NaN: try fp32."), "NaN: try fp32.", "failed"),
     (ClosingError(), "The app is closing.", "stopped")],
)  # fmt: skip
def test_what_was_meant_for_users_is_said_as_it_is_and_not_to_the_terminal(error, sentence, outcome, capsys):
    assert failure(error) == (sentence, outcome)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(MemoryError(), MEMORY),
     (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."), MEMORY),
     (OSError(errno.ENOMEM, "Cannot allocate memory"), MEMORY),
     (RuntimeError("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : bad allocation"), MEMORY),
     (RuntimeError("BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer"), MEMORY),
     (OSError(errno.ENOSPC, "No space left on device"), DISK),
     (OSError(errno.EDQUOT, "Disk quota exceeded"), DISK),
     (FileNotFoundError(errno.ENOENT, "No such file", "/tmp/gone"), FOLDER),
     (PermissionError(errno.EACCES, "Permission denied", "/tmp/gone"), FOLDER)],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_befalls_any_machine_has_a_remedy_and_a_line_on_the_terminal(error, sentence, capsys):
    assert failure(error) == (sentence, "failed")
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert "Traceback" not in told


def test_the_memory_that_torch_does_not_get_is_known_by_its_own_words():
    """What torch really raises on a CPU, since nothing but its words tells."""
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**55, dtype=torch.uint8)
    assert failure(caught.value) == (MEMORY, "failed")


def test_all_else_is_named_and_its_traceback_is_for_the_terminal(capsys):
    try:
        raise ZeroDivisionError("in /srv/secret")
    except ZeroDivisionError as error:
        sentence, outcome = failure(error)
    assert sentence.startswith("The run failed (ZeroDivisionError): ")
    assert "secret" not in sentence
    assert outcome == "failed"
    assert "Traceback" in capsys.readouterr().err


def test_a_runtime_error_that_is_not_about_memory_is_not_called_so(capsys):
    assert "RuntimeError" in failure(RuntimeError("shapes do not fit")).sentence

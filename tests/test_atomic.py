"""A file is there whole or not at all, whatever happens while it is written."""

import contextlib
import os
import resource
import threading
from pathlib import Path

import numpy as np
import pytest

from core import RequestError
from core.atomic import write_atomically, write_together


def test_a_function_may_write_to_the_open_file(tmp_path):
    write_atomically(tmp_path / "x", lambda file: [file.write(b"ab"), file.seek(1), file.write(b"c")])
    assert (tmp_path / "x").read_bytes() == b"ac"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError("x")])
@pytest.mark.parametrize("before", [None, b"old"])
def test_a_failure_leaves_what_was_there_and_no_part(tmp_path, error, before):
    path = tmp_path / "x"
    if before:
        path.write_bytes(before)

    def half(file):
        file.write(b"ha")
        file.flush()
        raise error

    with pytest.raises(type(error)):
        write_atomically(path, half)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == ([("x", before)] if before else [])


def test_a_target_that_cannot_be_replaced_leaves_no_part(tmp_path):
    (tmp_path / "x").mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path / "x", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_folder_that_is_not_there_is_the_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        write_atomically(tmp_path / "nowhere" / "x", b"new")


def test_two_threads_may_write_one_target(tmp_path):
    meet = threading.Barrier(2, timeout=10)

    def write(letter):
        def slowly(file):
            file.write(letter * 1000)
            meet.wait()  # both have begun, and neither has ended
            file.write(letter * 1000)

        write_atomically(tmp_path / "x", slowly)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "x").read_bytes() in (b"a" * 2000, b"b" * 2000)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@contextlib.contextmanager
def files_of_at_most(size):
    """No file may grow beyond ``size``: what a full disk does, without filling one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("short", [1, 100, 4000, 90_000])
def test_an_array_that_does_not_fit_is_an_error_to_the_last_byte(tmp_path, short):
    array = np.zeros(25_000, np.float32)
    with files_of_at_most(100_128 - short), pytest.raises(OSError, match=r"x\.npy"):
        write_atomically(tmp_path / "x.npy", lambda file: np.save(file, array))
    assert list(tmp_path.iterdir()) == []


def test_files_that_belong_together_are_all_written_or_none(tmp_path):
    (tmp_path / "a").write_bytes(b"old")

    def fails(file):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left on device") as failed:
        write_together({tmp_path / "a": b"new", tmp_path / "b": fails})
    assert failed.value.filename == str(tmp_path / "b")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"old")]
    write_together({tmp_path / "a": b"new", tmp_path / "b": b"too"})
    assert sorted((p.name, p.read_bytes()) for p in tmp_path.iterdir()) == [("a", b"new"), ("b", b"too")]


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "x").write_bytes(b"old")
    (tmp_path / "link").symlink_to(Path("there") / "x")
    (tmp_path / "new").symlink_to(Path("there") / "y")
    write_together({tmp_path / "link": b"1", tmp_path / "new": b"2"})
    assert (tmp_path / "link").is_symlink()
    assert sorted((p.name, p.read_bytes()) for p in (tmp_path / "there").iterdir()) == [("x", b"1"), ("y", b"2")]


def test_a_device_is_written_to_and_its_errors_count(tmp_path):
    write_atomically(Path("/dev/null"), b"1")
    assert Path("/dev/null").is_char_device()
    with pytest.raises(OSError, match="/dev/full"):
        write_together({tmp_path / "x": b"1", Path("/dev/full"): b"2"})
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_is_refused_by_name(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RequestError, match="pipe is a pipe"):
        write_atomically(tmp_path / "pipe", b"1")


def test_a_name_of_any_length_has_room_for_its_part(tmp_path):
    write_atomically(tmp_path / ("n" * 255), b"1")
    write_atomically(tmp_path / ("é" * 127), b"1")
    assert len(list(tmp_path.iterdir())) == 2

"""Whatever lies in a folder: it opens, or one short sentence says why not, soon. Never a traceback of another kind.

The first test is the short form of ``python -m tests.fuzz checkpoints``.
"""

import json
import shutil

import pytest
from diffusers import DDIMScheduler
from foreign import write_folder
from test_unet_config import CIFAR10

from core import find_checkpoints
from core.layouts import training_steps
from demo.host import EngineHost
from tests.fuzz import checkpoints
from tests.fuzz.drive import round_of
from tests.fuzz.folders import WEIGHTS, Code, cases
from tests.fuzz.spoil import INSTEAD

FILES = ("unet/config.json", "scheduler/scheduler_config.json", "model_index.json", f"unet/{WEIGHTS}")
NO_FILES = ("a link to itself", "a pipe", "a folder", "no file", "a link to nowhere", "endless zeros")
COUNT = 120


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path, _ = write_folder(tmp_path_factory.mktemp("good") / "net", DDIMScheduler())
    return path


def refusal(path):
    """The sentence why it is none; empty where it opens."""
    found = checkpoints.opened(path)
    assert found.wrong == "", str(found)
    return found.said


@pytest.mark.filterwarnings("ignore")
def test_a_spoilt_folder_opens_or_says_why_not(tmp_path):
    bench = checkpoints.Bench.of(tmp_path)
    found = round_of(cases(bench.good), bench.run, 0, COUNT)
    assert found.wrong is None, str(found.wrong)
    assert {end.split()[1] for end in bench.ends} == {"opened", "refused"}, bench.counts()


def test_code_in_a_pickle_does_not_run(tmp_path):
    bench = checkpoints.Bench.of(tmp_path)
    found = bench.run(checkpoints.Case("pickle", (("unet/diffusion_pytorch_model.bin", Code()),)))
    assert not found.wrong, str(found)
    assert found.said


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("hazard", INSTEAD)
def test_a_hazard_in_place_of_a_file_is_refused_at_once_and_hides_no_neighbour(good, hazard, file, tmp_path):
    bad, beside = shutil.copytree(good, tmp_path / "bad"), shutil.copytree(good, tmp_path / "good")
    (bad / file).unlink()
    INSTEAD[hazard](bad / file)
    said = refusal(bad)
    # what is no file cannot be an index, and a folder may do without one
    assert said or (file == "model_index.json" and hazard in NO_FILES)
    assert beside in find_checkpoints(tmp_path)
    assert training_steps(bad) in (None, 1000)
    assert training_steps(beside) == 1000
    host = EngineHost(tmp_path)  # the page is built from these
    assert "good" in host.names()
    assert [host.training_steps(name) for name in host.names()] == [1000] * len(host.names())


def test_a_folder_that_links_to_itself_or_is_no_path_is_refused(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (tmp_path / "loop", tmp_path / "loop" / "x", "a\x00b", "~nobody-of-that-name/x", "x" * 5000):
        assert refusal(path)
    assert find_checkpoints(tmp_path) == []
    assert find_checkpoints("\x00") == []


def test_the_largest_network_in_bounds_is_refused_without_being_made(good, tmp_path):
    folder = shutil.copytree(good, tmp_path / "net")
    huge = {**CIFAR10, "block_out_channels": [8192] * 12, "down_block_types": ["AttnDownBlock2D"] * 12,
            "up_block_types": ["AttnUpBlock2D"] * 12, "layers_per_block": 32, "sample_size": 4096}  # fmt: skip
    (folder / "unet" / "config.json").write_text(json.dumps(huge))
    assert "does not fit config.json" in refusal(folder)

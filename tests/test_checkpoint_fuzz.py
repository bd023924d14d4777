"""Whatever lies in a folder: it opens, or one short sentence says why not, soon. Never a traceback of another kind."""

import json
import os
import random
import shutil
import time

import pytest
from diffusers import DDIMScheduler
from foreign import write_folder
from test_unet_config import CIFAR10

from core import CheckpointError, find_checkpoints, open_checkpoint
from core.layouts import training_steps
from demo.host import EngineHost

JSONS = ("unet/config.json", "scheduler/scheduler_config.json", "model_index.json")
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
VALUES = [
    None, True, False, 0, 1, -1, 2, 3, 7, 2.5, 1e9, 10**9, 10**30, 1e-30, float("nan"), float("inf"), float("-inf"),
    "", "silu", "linear", "epsilon", "x" * 5000, "../../etc/passwd", "\x00", [], [0], [1, 2], [8, 16], [8, 16, 16],
    [[[]]], [None], ["DownBlock2D", "DownBlock2D"], ["AttnUpBlock2D"], [float("nan")] * 3, [0.1] * 2000, {}, {"a": {}},
]  # fmt: skip
NEW_KEYS = ["shift", "cross_attention_dim", "vae", "_class_name", "a" * 400, "", "\n", "use_karras_sigmas"]
ROUNDS = 240


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path, _ = write_folder(tmp_path_factory.mktemp("good") / "net", DDIMScheduler())
    return path


def opened(path, seconds=4.0):
    """The checkpoint, or the sentence why it is none."""
    started = time.monotonic()
    try:
        found = open_checkpoint(path)
        found.load_network()
        return found
    except CheckpointError as error:
        text = str(error)
        assert 10 < len(text) < 300, text
        assert "\n" not in text
        return text
    finally:
        assert time.monotonic() - started < seconds


def mutate(folder, rng):
    """Change one to three things; (what was done)."""
    done = []
    for _ in range(rng.randint(1, 3)):
        kind = rng.choice(["value", "value", "value", "value", "drop", "new", "bytes", "cut", "weights"])
        path = folder / (WEIGHTS if kind == "weights" else rng.choice(JSONS))
        data = path.read_bytes()
        if kind in ("value", "drop", "new"):
            try:
                values = json.loads(data)
            except ValueError:
                continue
            key = rng.choice(NEW_KEYS) if kind == "new" else rng.choice(sorted(values))
            if kind == "drop":
                del values[key]
            else:
                values[key] = rng.choice(VALUES)
            path.write_text(json.dumps(values))
            done.append((path.name, kind, key[:20], str(values.get(key))[:20]))
        elif kind == "cut":
            path.write_bytes(data[: rng.randrange(len(data))])
            done.append((path.name, "cut"))
        else:
            at = rng.randrange(min(len(data), 3000) if kind == "weights" else len(data))
            path.write_bytes(data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :])
            done.append((path.name, kind, at))
    return done


@pytest.mark.parametrize("part", range(4))
def test_a_spoilt_folder_opens_or_says_why_not(good, part, tmp_path):
    counts = {"opened": 0, "refused": 0}
    for i in range(part, ROUNDS, 4):
        rng = random.Random(i)
        folder = shutil.copytree(good, tmp_path / f"net{i}")
        done = mutate(folder, rng)
        try:
            found = opened(folder)
        except Exception as error:
            raise AssertionError(f"round {i}: {done}") from error
        counts["refused" if isinstance(found, str) else "opened"] += 1
        training_steps(folder)
        shutil.rmtree(folder)
    assert min(counts.values()) >= 1, counts  # both ends are reached


def loop(path):
    path.unlink()
    path.symlink_to(path)


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def folder_instead(path):
    path.unlink()
    path.mkdir()


def sparse(path):
    with path.open("wb") as file:
        file.truncate(1 << 42)


HAZARDS = {
    "a link to itself": loop,
    "a pipe": pipe,
    "a folder": folder_instead,
    "a sparse file of 4 TB": sparse,
    "a deep nest": lambda path: path.write_text('{"a":' + "[" * 200_000 + "]" * 200_000 + "}"),
    "an endless number": lambda path: path.write_text('{"num_train_timesteps": ' + "9" * 100_000 + "}"),
    "megabytes": lambda path: path.write_text('{"a": "' + "x" * 5_000_000 + '"}'),
    "no text": lambda path: path.write_bytes(bytes(range(256))),
    "nothing": lambda path: path.write_bytes(b""),
}


@pytest.mark.parametrize("file", [*JSONS, WEIGHTS])
@pytest.mark.parametrize("hazard", HAZARDS)
def test_a_hazard_in_place_of_a_file_is_refused_at_once_and_hides_no_neighbour(good, hazard, file, tmp_path):
    bad, beside = shutil.copytree(good, tmp_path / "bad"), shutil.copytree(good, tmp_path / "good")
    HAZARDS[hazard](bad / file)
    found = opened(bad)
    # what is no file cannot be an index, and a folder may do without one
    assert isinstance(found, str) or (file == "model_index.json" and hazard in list(HAZARDS)[:3])
    assert beside in find_checkpoints(tmp_path)
    assert training_steps(bad) in (None, 1000)
    assert training_steps(beside) == 1000
    host = EngineHost(tmp_path)  # the page is built from these
    assert "good" in host.names()
    assert [host.training_steps(name) for name in host.names()] == [1000] * len(host.names())


def test_a_folder_that_links_to_itself_or_is_no_path_is_refused(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (tmp_path / "loop", tmp_path / "loop" / "x", "a\x00b", "~nobody-of-that-name/x", "x" * 5000):
        assert isinstance(opened(path), str)
    assert find_checkpoints(tmp_path) == []
    assert find_checkpoints("\x00") == []


def test_the_largest_network_in_bounds_is_refused_without_being_made(good, tmp_path):
    folder = shutil.copytree(good, tmp_path / "net")
    huge = {**CIFAR10, "block_out_channels": [8192] * 12, "down_block_types": ["AttnDownBlock2D"] * 12,
            "up_block_types": ["AttnUpBlock2D"] * 12, "layers_per_block": 32, "sample_size": 4096}  # fmt: skip
    (folder / "unet" / "config.json").write_text(json.dumps(huge))
    assert "does not fit config.json" in opened(folder, seconds=1)

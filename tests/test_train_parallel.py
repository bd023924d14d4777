"""torchrun with two processes trains as one process does: same gradients, one log, one checkpoint."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from test_train_loop import CONFIG, trainer

from core import NoiseSchedule, RequestError
from core.checkpoint import SamplingDefaults, save_checkpoint
from core.parallel import Share, joined
from core.train.muon import is_matrix

HERE = Path(__file__).parent


def start(processes, *command):
    """A command alone, or under torchrun with that many processes."""
    torchrun = ["-m", "torch.distributed.run", "--nproc-per-node", str(processes)] if processes > 1 else []
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parent), "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run([sys.executable, *torchrun, *command], env=env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def gradients(tmp_path_factory):
    """What one process found, and each of two, by the way to train. One start for all: that is most of the time."""
    out, found = tmp_path_factory.mktemp("gradients") / "out.pt", []
    shallow, config = out.parent / "shallow", replace(CONFIG, dropout=0.0)
    save_checkpoint(shallow, trainer(config=config).network.state_dict(), config, NoiseSchedule(), SamplingDefaults())
    for processes in (1, 2):
        start(processes, str(HERE / "parallel_gradients.py"), str(out), str(shallow))
        found += [torch.load(f"{out}.{rank}", weights_only=True) for rank in range(processes)]
    return found


@pytest.mark.parametrize("way", ["plain", "balanced", "muon", "grown"])
def test_two_processes_give_the_gradients_of_one(gradients, way):
    one, two, _ = (found[way] for found in gradients)
    assert (one["world"], two["world"]) == (1, 2)
    assert two["losses"] == pytest.approx(one["losses"], rel=1e-4)
    first = one["gradients"][0]
    assert max(float(g.abs().max()) for g in first.values()) > 1e-3
    for name, gradient in first.items():
        torch.testing.assert_close(two["gradients"][0][name], gradient, rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.parametrize("way", ["plain", "muon", "grown"])
def test_two_processes_have_the_same_weights_and_they_are_those_of_one(gradients, way):
    one, *two = (found[way]["weights"] for found in gradients)
    assert ("down_blocks.1.resnets.1.conv1.weight" in one) == (way == "grown")
    for name, weights in one.items():
        assert torch.equal(two[0][name], two[1][name]), name
        # Adam's first steps are the sign of a gradient, also of one that is nothing but rounding; Muon's are not
        if way != "plain" and is_matrix(weights):
            torch.testing.assert_close(two[0][name], weights, rtol=1e-3, atol=1e-5, msg=name)


def test_the_command_writes_one_log_and_one_checkpoint(tmp_path):
    np.savez(tmp_path / "data.npz", images=np.random.default_rng(0).integers(0, 256, (12, 8, 8), dtype=np.uint8))
    options = "--size 8 --channels 8,16 --groups 4 --attention 1 --batch 4 --steps 3 --warmup 1 --threads 1"
    command = ["-m", "core", "train", str(tmp_path / "data.npz"), "--out", str(tmp_path / "net"), "--state",
               str(tmp_path / "state"), *options.split()]  # fmt: skip
    start(2, *command)
    rows = [json.loads(line) for line in (tmp_path / "state" / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [3]
    assert (tmp_path / "net" / "config.json").is_file()
    resumed = start(2, *command)  # finished: both take up the state, and nothing changes
    assert "resumed at step 3" in resumed.stdout


def test_each_process_takes_its_share_of_a_batch_and_none_is_left():
    rows = [list(range(12))[Share(rank, 3, rank).of(12)] for rank in range(3)]
    assert rows == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(RequestError, match=r"--batch 10.*3 processes"):
        Share(0, 3, 0).of(10)


def test_without_torchrun_a_process_is_alone(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined("cpu") as (share, device):
        assert (share, share.first, device) == (Share(0, 1, 0), True, "cpu")

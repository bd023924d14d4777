"""The mean of checkpoints' weights: by numpy, for one network only, and into a new folder only."""

import numpy as np
import pytest
from safetensors.numpy import load_file
from test_train_loop import CONFIG, trainer

from core import Engine, Request, SamplerSettings, open_checkpoint
from core.__main__ import main
from core.checkpoint import WEIGHTS, SamplingDefaults, save_checkpoint
from core.schedule import NoiseSchedule


@pytest.fixture
def legs(tmp_path):
    """a, and b that a's training went on to."""
    run = trainer()
    for name in ("a", "b"):
        next(run.run())
        save_checkpoint(tmp_path / name, run.network.state_dict(), CONFIG, run.schedule, SamplingDefaults())
    return tmp_path


def average(*folders, out):
    return main(["average", *map(str, folders), "--out", str(out)])


def test_every_weight_is_the_mean_and_the_folder_samples(legs, capsys):
    assert average(legs / "a", legs / "b", legs / "b", out=legs / "mean") == 0
    assert "the mean of 3" in capsys.readouterr().out
    a, b, mean = (load_file(legs / name / WEIGHTS) for name in ("a", "b", "mean"))
    assert set(mean) == set(a)
    for name, weights in mean.items():
        wanted = (a[name].astype(np.float64) + 2 * b[name]) / 3
        np.testing.assert_array_equal(weights, wanted.astype(np.float32), err_msg=name)
    assert any(np.any(mean[name] != a[name]) and np.any(mean[name] != b[name]) for name in mean)
    found = Engine.open(legs / "mean", device="cpu").sample(Request((1,), SamplerSettings(3)))
    assert found.images.isfinite().all()
    assert open_checkpoint(legs / "mean").defaults == open_checkpoint(legs / "a").defaults


@pytest.mark.parametrize(
    ("schedule", "defaults", "says"),
    [
        (NoiseSchedule(beta_schedule="squaredcos_cap_v2"), SamplingDefaults(), "differ in noise schedule"),
        (NoiseSchedule(), SamplingDefaults("v_prediction"), "differ in prediction"),
    ],
)
def test_what_has_nothing_between_is_refused(legs, capsys, schedule, defaults, says):
    save_checkpoint(legs / "other", trainer().network.state_dict(), CONFIG, schedule, defaults)
    assert average(legs / "a", legs / "other", out=legs / "mean") == 2
    assert says in capsys.readouterr().err
    assert not (legs / "mean").exists()


def test_another_network_one_alone_and_a_folder_that_is_there_are_refused(legs, tiny_folder, capsys):
    for folders, out, says in (
        ((legs / "a", tiny_folder), "mean", "differ in network"),
        ((legs / "a",), "mean", "two checkpoints or more"),
        ((legs / "a", legs / "b"), "b", "is there already: name a new folder"),
    ):
        before = (legs / "b" / WEIGHTS).read_bytes()
        assert average(*folders, out=legs / out) == 2
        err = capsys.readouterr().err
        assert says in err
        assert err.count("\n") == 1
        assert (legs / "b" / WEIGHTS).read_bytes() == before
        assert not (legs / "mean").exists()

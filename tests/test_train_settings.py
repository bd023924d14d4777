"""The learning rate and the weight average over a run."""

import math

import pytest

from core import RequestError
from core.train.settings import TrainSettings


def test_the_learning_rate_rises_holds_and_falls_by_a_cosine_to_nothing():
    settings = TrainSettings(steps=100, lr=0.5, warmup=10, decay=0.4)
    assert [settings.lr_at(k) for k in range(10)] == pytest.approx([0.05 * (k + 1) for k in range(10)])
    assert {settings.lr_at(k) for k in range(9, 60)} == {0.5}
    for k in range(60, 100):
        assert settings.lr_at(k) == pytest.approx(0.25 * (1 + math.cos(math.pi * (k - 60) / 40)))
    assert 0 < settings.lr_at(99) < 0.001


def test_without_warmup_and_decay_it_is_constant():
    settings = TrainSettings(steps=10, lr=0.1, warmup=0, decay=0)
    assert {settings.lr_at(k) for k in range(10)} == {0.1}


def test_it_is_positive_at_every_step_of_odd_runs():
    for steps, warmup, decay in ((1, 0, 1.0), (1, 500, 0.4), (2, 1, 0.5), (3, 0, 1.0)):
        settings = TrainSettings(steps=steps, warmup=warmup, decay=decay)
        assert all(0 < settings.lr_at(k) <= settings.lr for k in range(steps))


def test_a_longer_run_repeats_the_shorter_one_until_its_decay_begins():
    short, long = TrainSettings(steps=100, warmup=5), TrainSettings(steps=1000, warmup=5)
    assert [short.lr_at(k) for k in range(60)] == [long.lr_at(k) for k in range(60)]


def test_the_weight_average_follows_early_weights_and_then_reaches_its_decay():
    settings = TrainSettings(steps=1, ema=0.99)
    rising = [settings.ema_at(k) for k in range(2000)]
    assert [rising[k] for k in (0, 8, 80)] == [1 / 10, 9 / 18, 81 / 90]  # (1 + step) / (10 + step)
    assert rising == sorted(rising)
    assert rising[-1] == 0.99


@pytest.mark.parametrize(
    "bad",
    [
        {"steps": 0}, {"batch": 0}, {"lr": 0.0}, {"lr": math.inf}, {"lr": math.nan}, {"warmup": -1}, {"decay": 1.1},
        {"decay": -0.1}, {"ema": 1.0}, {"ema": -0.1}, {"grad_clip": 0.0}, {"seed": -1},
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_refused_by_its_option(bad):
    (name,) = bad
    with pytest.raises(RequestError, match="--" + name.replace("_", "-")):
        TrainSettings(**{"steps": 10, **bad})

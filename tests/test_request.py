"""Requests are frozen, comparable and checked where they are made."""

import dataclasses
import math

import pytest

from core import Request, RequestError, SamplerSettings, step_list
from core.request import MAX_SEED


def test_equal_settings_are_equal_and_hashable():
    assert {Request((1, 2)), Request([1, 2])} == {Request((1, 2), SamplerSettings(20, 0.0))}


def test_a_request_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Request().seeds = (3,)


def test_sigma_hat_implies_eta_1():
    assert SamplerSettings(eta=0.2, sigma_hat=True).eta == 1.0


def test_a_custom_list_wins_over_steps_and_spacing():
    settings = SamplerSettings(steps=99, spacing="trailing", timesteps=[900, 10])
    assert settings.steps == 2
    assert settings.step_list(1000, "leading") == (900, 10)


def test_spacing_falls_back_to_the_checkpoints_own():
    assert SamplerSettings(7).step_list(1000, "trailing") == step_list("trailing", 7, 1000)
    assert SamplerSettings(7, spacing="linspace").step_list(1000, "trailing") == step_list("linspace", 7, 1000)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"eta": -0.1}, "eta"),
        ({"eta": 1.1}, "eta"),
        ({"eta": math.nan}, "eta"),
        ({"eta": "0"}, "eta"),
        ({"steps": 0}, "steps"),
        ({"steps": 2.5}, "steps"),
        ({"steps": True}, "steps"),
        ({"spacing": "uniform"}, "spacing"),
        ({"timesteps": ()}, "steps"),
    ],
)
def test_bad_settings_are_refused_by_name(bad, why):
    with pytest.raises(RequestError, match=why):
        SamplerSettings(**bad)


@pytest.mark.parametrize("steps", [1001, 5000])
def test_more_steps_than_the_checkpoint_has_are_refused_when_the_list_is_made(steps):
    with pytest.raises(RequestError, match="1 to 1000"):
        SamplerSettings(steps).step_list(1000, "leading")


@pytest.mark.parametrize("seeds", [(), (-1,), (MAX_SEED + 1,), (1.0,), ("3",), (True,)])
def test_bad_seeds_are_refused(seeds):
    with pytest.raises(RequestError, match="seed"):
        Request(seeds)


def test_the_largest_seed_is_allowed():
    assert Request((MAX_SEED, 0)).count == 2


@pytest.mark.parametrize(
    ("seeds", "frames", "loop", "good"),
    [
        ((1, 2), 2, False, True),
        ((1, 2), 1, False, False),
        ((1, 2), 2, True, False),
        ((1, 2), 3, True, True),
        ((1, 2, 3), 2, False, False),
        ((1, 2, 3), 3, False, True),
        ((1,), 5, False, False),
        ((1, 2), 2.0, False, False),
    ],
)
def test_a_strip_needs_two_seeds_and_a_frame_for_each_of_its_keys(seeds, frames, loop, good):
    if good:
        assert Request(seeds, frames=frames, loop=loop).count == frames
    else:
        with pytest.raises(RequestError, match="interpolation"):
            Request(seeds, frames=frames, loop=loop)

"""Requests are frozen, comparable and checked where they are made."""

import dataclasses
import json
import math
from fractions import Fraction

import numpy as np
import pytest
import torch

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


@pytest.mark.parametrize(
    "seeds", [np.arange(3), torch.arange(3), [np.int64(0), np.uint8(1), torch.tensor(2)], range(3)]
)
def test_whole_numbers_of_any_library_become_python_s_own(seeds):
    request = Request(seeds)
    assert request == Request((0, 1, 2))
    assert hash(request) == hash(Request((0, 1, 2)))
    assert [type(seed) for seed in request.seeds] == [int, int, int]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"steps": np.int64(7)}, {"steps": 7}),
        ({"steps": torch.tensor(7)}, {"steps": 7}),
        ({"steps": np.array(7)}, {"steps": 7}),
        ({"eta": np.float32(0.1)}, {"eta": 0.10000000149011612}),  # the nearest of 24 bits
        ({"eta": torch.tensor(0.5)}, {"eta": 0.5}),
        ({"eta": torch.tensor(0.5, dtype=torch.bfloat16)}, {"eta": 0.5}),
        ({"eta": np.int64(1)}, {"eta": 1.0}),
        ({"eta": Fraction(1, 4)}, {"eta": 0.25}),
        ({"timesteps": np.array([900, 10])}, {"timesteps": (900, 10), "steps": 2}),
        ({"timesteps": torch.tensor([900, 10])}, {"timesteps": (900, 10), "steps": 2}),
        ({"sigma_hat": np.True_, "clip": np.False_}, {"sigma_hat": True, "clip": False, "eta": 1.0}),
        ({"spacing": np.str_("trailing")}, {"spacing": "trailing"}),
    ],
)
def test_settings_keep_plain_values(given, kept):
    settings = SamplerSettings(**given)
    for name, want in kept.items():
        found = getattr(settings, name)
        assert (type(found), found) == (type(want), want)
    assert json.loads(json.dumps(dataclasses.asdict(settings)))["steps"] == settings.steps
    assert settings == SamplerSettings(**kept)


def test_what_lies_between_seeds_is_kept_as_plain_values_too():
    strip = Request(np.array([3, 8]), frames=np.int32(5), loop=np.False_, own_noise=np.True_)
    assert strip == Request((3, 8), frames=5, own_noise=True)
    assert (type(strip.frames), type(strip.own_noise)) == (int, bool)
    sheet = Request(np.arange(4), sheet=torch.tensor(3))
    assert (type(sheet.sheet), sheet.count) == (int, 9)
    place = Request(np.arange(4), place=np.array([0.25, 1], np.float32))
    assert place.place == (0.25, 1.0)
    assert [type(w) for w in place.place] == [float, float]
    for request in (strip, sheet, place):
        json.dumps(dataclasses.asdict(request))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"seeds": (np.float64(1.0),)}, "A seed must be a whole number from 0 to 9007199254740991, not 1.0."),
        ({"seeds": (np.True_,)}, "not True."),
        ({"seeds": torch.tensor([True])}, "not True."),
        ({"seeds": np.array([[1, 2]])}, "not something of type ndarray."),
        ({"seeds": torch.tensor([[1], [2]])}, "not something of type Tensor."),
        ({"seeds": np.array(["1"])}, "not '1'."),
        ({"seeds": "12"}, "seeds must be a list, such as (0, 1, 2), not '12'."),
        ({"seeds": 3}, "seeds must be a list, such as (0, 1, 2), not 3."),
        ({"seeds": np.array(3)}, "seeds must be a list, such as (0, 1, 2), not 3."),
        ({"seeds": (10**5000,)}, "not a number of more than 40 digits."),
        ({"seeds": ("9" * 5000,)}, f"not '{'9' * 40}'…."),
        ({"seeds": ([1] * 5000,)}, "not something of type list."),
        ({"seeds": (1, 2), "frames": np.float32(3)}, "not 3.0."),
        ({"seeds": (1, 2), "frames": True}, "not True."),
        ({"seeds": (1, 2), "loop": 1}, "loop must be True or False, not 1."),
        ({"seeds": range(4), "sheet": "3"}, "not '3'."),
        ({"seeds": range(4), "place": (0.5, math.nan)}, "not nan."),
        ({"seeds": range(4), "place": (0.5, 1.5)}, "not 1.5."),
        ({"seeds": range(4), "place": "01"}, "not '01'."),
        ({"seeds": range(4), "place": np.zeros(3)}, "3 were given."),
        ({"settings": {"steps": 5}}, "settings must be SamplerSettings, not something of type dict."),
    ],
)
def test_a_request_of_odd_values_is_refused_in_one_short_sentence(bad, words):
    with pytest.raises(RequestError) as refused:
        Request(**bad)
    assert str(refused.value).endswith(words)
    assert len(str(refused.value)) < 150


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"steps": np.float64(5)}, "steps must be a whole number of at least 1, not 5.0."),
        ({"steps": "20"}, "not '20'."),
        ({"steps": None}, "not None."),
        ({"steps": torch.tensor([5])}, "not something of type Tensor."),
        ({"eta": np.float32("nan")}, "eta must lie between 0 (DDIM) and 1 (DDPM), not nan."),
        ({"eta": math.inf}, "not inf."),
        ({"eta": True}, "not True."),
        ({"eta": np.str_("0.5")}, "not '0.5'."),
        ({"eta": 10**400}, "not a number of more than 40 digits."),
        ({"eta": np.complex64(0.5)}, "not something of type complex."),
        ({"eta": [0.5] * 999}, "not something of type list."),
        ({"eta": np.zeros(1)}, "not something of type ndarray."),
        ({"spacing": "x" * 9999}, f"not '{'x' * 40}'…."),
        ({"spacing": np.array(["leading", "trailing"])}, "not something of type ndarray."),
        ({"timesteps": 900}, "timesteps must be a list, such as (900, 500, 100), not 900."),
        ({"timesteps": "900,0"}, "not '900,0'."),
        ({"timesteps": (900.0, 0)}, "not 900.0."),
        ({"timesteps": np.array([5, -1])}, "not -1."),
        ({"clip": 1}, "clip must be True, False or None, not 1."),
        ({"sigma_hat": "yes"}, "sigma_hat must be True or False, not 'yes'."),
    ],
)
def test_settings_of_odd_values_are_refused_in_one_short_sentence(bad, words):
    with pytest.raises(RequestError) as refused:
        SamplerSettings(**bad)
    assert str(refused.value).endswith(words)
    assert len(str(refused.value)) < 150

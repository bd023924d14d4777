"""The tour: its stops can be set, and what each promises is what the shipped faces show."""

from pathlib import Path

import numpy as np
import pytest

from core import Engine, Request, SamplerSettings
from core.evaluate.feature_net import open_feature_net
from core.pixels import to_pixels
from demo.field_lists import plain
from demo.settings import FIELDS, PageSettings, corrected
from demo.tour import MINUTE, TOUR

FACES = Path(__file__).parents[1] / "checkpoints" / "toon-faces"
STOPS = {stop.key: stop for stop in TOUR}


@pytest.mark.parametrize("stop", TOUR, ids=lambda stop: stop.key)
def test_a_stop_sets_what_the_page_can_run_as_it_is(stop):
    asked = stop.as_json()["settings"]
    page, said = corrected(asked, ["any"], lambda _: 1000)
    assert said == []
    assert {name: plain(getattr(page, name)) for name in asked} == asked
    assert set(asked) <= set(FIELDS)


def test_the_minute_has_five_stops_with_a_name_each():
    assert MINUTE == 5 <= len(TOUR)
    assert len(STOPS) == len(TOUR)
    assert all(stop.title and stop.look.endswith((".", ")")) for stop in TOUR)


@pytest.fixture(scope="module")
def pictures():
    """Of one seed at some S and η, as the page computes them: floats of 0 to 255."""
    engine = Engine.open(FACES, "cpu", backend="onnxruntime")
    made = {}

    def of(seed, steps, eta=0.0):
        key = seed, steps, eta
        if key not in made:
            made[key] = to_pixels(engine.sample(Request((seed,), SamplerSettings(steps, eta, "leading"))).images)[0]
        return made[key].astype(float)

    return of


@pytest.fixture(scope="module")
def net():
    return open_feature_net(FACES.parent / "features" / "toon-faces.safetensors")[0]


def rms(a, b):
    return float(np.sqrt(np.mean(np.square(a - b))) / 255)


def test_fewer_steps_keep_the_person_and_lose_detail(pictures):
    settings = STOPS["fewer-steps"].settings
    seed, (most, some, few) = settings["seed"], [lane.steps for lane in settings["lanes"]]
    assert rms(pictures(seed, most), pictures(seed, some)) < 0.015
    assert rms(pictures(seed, most), pictures(seed, few)) > 3 * rms(pictures(seed, most), pictures(seed, some))
    other = pictures(seed + 4, most)
    assert rms(pictures(seed, most), pictures(seed, few)) < 0.5 * rms(pictures(seed, most), other)


def test_randomness_arrives_elsewhere_and_the_code_does_not(pictures):
    eta, code = STOPS["eta"].settings, STOPS["same-noise"].settings
    a = pictures(eta["seed"], eta["steps"], eta["eta"])
    assert rms(a, pictures(eta["seed"], eta["steps_b"], eta["eta_b"])) > 0.1
    assert rms(a, pictures(code["seed"], code["steps_b"], code["eta_b"])) < 0.015


def parts(net, picture):
    """What the feature net takes each part of a face for."""
    found = net.label_pixels(picture.astype(np.uint8).transpose(2, 0, 1)[None])
    return {name: label[0] for name, label in found.items()}


def test_the_borderline_case_that_is_named_is_one(pictures, net):
    assert "Seed 25 is a borderline case: its hair is short" in STOPS["same-noise"].look
    few, many = (parts(net, pictures(25, S)) for S in (20, 100))
    assert few["shape_rearHair"] != many["shape_rearHair"]
    assert sum(few[name] != many[name] for name in net.config.classes) == 1


def test_the_page_opens_on_seeds_that_keep_their_person_from_ten_steps_on(pictures, net):
    page = PageSettings("any")
    assert rms(pictures(page.seed, 10), pictures(page.seed, 100)) < 0.02
    for seed in {page.seed, page.seed_to, *page.keys, *page.corners}:
        few, many = (parts(net, pictures(seed, S)) for S in (10, 100))
        assert all(few[name] == many[name] for name in net.config.classes), seed

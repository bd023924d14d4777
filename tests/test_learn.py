"""The text keeps its length, the panel's value is small and true."""

import base64
import html
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from wishes import Tab, host_of

from core.mixture import DISTRIBUTIONS, distribution
from demo.settings import SHAPES, PageSettings
from demo.views.learn.flow import SPAN, flow_value
from demo.views.learn.texts import WHAT_IS_DDIM

FIRST = PageSettings(checkpoint="any")


def words(text):
    return html.unescape(re.sub(r"<[^>]+>", " ", text)).split()


def test_what_ddim_is_takes_at_most_150_words_and_nothing_from_outside():
    text = re.sub(r"<(?:sub|sup|/sub|/sup)>", "", WHAT_IS_DDIM)  # an index belongs to its letter
    assert 90 < len(words(text)) <= 150
    assert not re.search(r"https?:|<script|<img|<link|@import", WHAT_IS_DDIM)
    for open_, close in (("<sub>", "</sub>"), ("<span", "</span>"), ("<div", "</div>"), ("<p>", "</p>")):
        assert WHAT_IS_DDIM.count(open_) == WHAT_IS_DDIM.count(close) > 0


@pytest.mark.parametrize("shape", sorted(SHAPES))
@pytest.mark.parametrize(("steps", "eta"), [(1, 0.0), (20, 0.0), (1000, 1.0)])
def test_a_value_is_small_json_and_agrees_with_itself(shape, steps, eta):
    value = flow_value(replace(FIRST, steps=steps, eta=eta, shape=shape))
    assert len(json.dumps(value, separators=(",", ":"), allow_nan=False)) < 400_000
    length = min(steps + 1, 200)
    assert len(value["t"]) == len(value["level"]) == length
    assert (len(value["paths"]), {len(p) for p in value["paths"]}) == (value["n"], {2 * length})
    assert (value["t"][-1], value["level"][-1]) == (-1, 0)
    assert all(a > b for a, b in zip(value["t"][:-1], value["t"][1:], strict=True))
    assert value["timing_ms"] > 0
    assert value["label"].startswith(f"S = {steps} · η = {eta:g}")


def test_the_share_on_target_is_what_the_paths_say_and_few_noisy_steps_miss():
    value = flow_value(replace(FIRST, steps=5, eta=1.0))
    ends = np.array([p[-2:] for p in value["paths"]])
    ring = distribution("ring")
    assert value["hit"] == pytest.approx((ring.nearest(ends)[1] < 3 * ring.std).mean(), abs=0.01)
    assert value["hit"] < 0.5 < 0.9 < flow_value(replace(FIRST, steps=50))["hit"]


def test_the_picture_of_the_density_is_at_its_height_on_the_modes():
    cloud = flow_value(replace(FIRST, shape="two"))["cloud"]
    with Image.open(io.BytesIO(base64.b64decode(cloud["uri"].partition(",")[2]))) as image:
        alpha = np.asarray(image.convert("RGBA"))[:, :, 3]
    side, count = cloud["side"], len(cloud["levels"])
    assert alpha.shape == (side * count, side)
    data = alpha[-side:]
    row, column = np.unravel_index(data.argmax(), data.shape)
    place = SPAN * (2 * column + 1 - side) / side, -SPAN * (2 * row + 1 - side) / side
    assert np.hypot(place[0] - 1.3, place[1]) < 0.1  # the heavier of the two
    assert alpha[side // 2, side // 2] > 240  # and noise is highest in the middle
    assert data[side // 2, side // 2] < 10


def test_settings_move_the_paths_and_an_unknown_shape_is_refused():
    base = flow_value(FIRST)["paths"]
    for change in ({"steps": 21}, {"eta": 0.5}, {"seed": 4}, {"spacing": "trailing"}, {"shape": "moons"}):
        assert flow_value(replace(FIRST, **change))["paths"] != base
    with pytest.raises(ValueError, match="must be one of"):
        flow_value(replace(FIRST, shape="swiss"))


def test_every_distribution_has_a_name_for_people():
    assert set(SHAPES) == set(DISTRIBUTIONS)


def test_more_steps_than_the_panels_own_schedule_has_are_cut():
    assert flow_value(replace(FIRST, steps=4000))["steps"] == 1000


def test_the_panel_is_there_before_the_model(tiny_folder, tmp_path):
    tab = Tab(host_of(tmp_path, tiny_folder))
    answer, messages = tab.begin(view="learn", shape="spiral", steps=7)
    next(messages)
    flow = answer.panels["flow"]
    assert not tab.host.loaded("tiny")
    assert (flow["shape"], flow["steps"]) == ("spiral", 7)
    for _ in messages:
        pass
    assert answer.status[0] == "done"
    assert tab.want(shape="moons").panels["flow"]["steps"] == 7

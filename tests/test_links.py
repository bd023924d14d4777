"""A link holds the whole state; whatever is wrong with one is clamped or left out, and said."""

from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from demo.links import NAMES, from_query, to_query
from demo.panels_of import cell_name
from demo.settings import Lane, PageSettings

ODD = PageSettings(
    "tiny", steps=37, eta=0.25, seed=11, count=4, seed_to=99, spacing="quadratic", steps_b=1000, eta_b=0.5,
    view="compare", lanes=(Lane(7, 0.5, "trailing"), Lane(1000, 1.0), Lane(3, 0.0, "linspace")),
    keys=(1, 2, 3, 4), between=10, loop=False, own_noise=True, corners=(9, 8, 7, 6), place=(0.125, 1.0),
)  # fmt: skip


def read(text, names=("tiny",), T=1000):
    return from_query(dict(parse_qsl(text)), list(names), lambda name: T)


FINE = PageSettings(
    "tiny", eta=0.1234561, eta_b=1 / 3, lanes=(Lane(7, 0.1234561), Lane(7, 0.1234562)), place=(1 / 3, 0.9999999),
    grid_etas=(0.1234561, 0.1234562),
)  # fmt: skip


@pytest.mark.parametrize("page", [PageSettings("tiny"), ODD, FINE])
def test_a_link_gives_every_setting_back(page):
    found, said = read(to_query(page))
    assert said == []
    assert set(found) == set(NAMES)
    assert replace(PageSettings("other"), **found) == page


@pytest.mark.parametrize(
    ("text", "found", "words"),
    [
        ("steps=5000", {"steps": 1000}, "steps=5000 became 1000"),
        ("steps=0", {"steps": 1}, "became 1"),
        ("steps=2.5", {"steps": 2}, "became 2"),
        ("steps=abc", {}, "no number"),
        ("steps=nan", {}, "no number"),
        ("eta=7", {"eta": 1}, "became 1"),
        ("eta=-inf", {"eta": 0}, "became 0"),
        ("seed=-4", {"seed": 0}, "became 0"),
        ("count=500", {"count": 32}, "became 32"),
        ("spacing=odd", {}, "none of leading"),
        ("view=<script>", {}, "none of explore"),
        ("loop=yes", {}, "none of 0, 1"),
        ("keys=3", {}, "needs 2 to 8 seeds"),
        ("corners=1,2,3", {}, "needs 4 to 4 seeds"),
        ("place=2,0.5", {"place": (1, 0.5)}, "became 1"),
        ("lanes=10:0", {}, "two runners"),
        ("lanes=10:0,5000:3:leading", {"lanes": (Lane(10, 0), Lane(1000, 1))}, "5000 became 1000"),
        ("checkpoint=gone", {}, "no checkpoint gone"),
    ],
)
def test_bad_values_are_clamped_or_left_out_and_said(text, found, words):
    got, said = read(text)
    assert got == found
    assert words in "; ".join(said)


def test_a_link_is_short_where_few_digits_say_it_all():
    assert "eta=0.1&" in to_query(replace(ODD, eta=0.1))
    assert "grid_etas=0%2C0.5%2C1&" in to_query(ODD)


def test_every_eta_has_a_cell_of_its_own():
    assert cell_name(5, 0.1234561) != cell_name(5, 0.1234562)
    assert (cell_name(5, 0.5), cell_name(5, 1.0), cell_name(5, 0.0)) == ("cell 5 0.5", "cell 5 1", "cell 5 0")


def test_other_parameters_are_passed_over():
    assert read("__theme=dark&utm_source=x&steps=9") == ({"steps": 9}, [])


def test_too_many_keys_or_runners_are_cut():
    found, _ = read("keys=" + ",".join(map(str, range(30))) + "&lanes=" + ",".join(["5:0"] * 9))
    assert len(found["keys"]) == 8
    assert len(found["lanes"]) == 4


def test_the_largest_S_is_that_of_the_checkpoint_in_the_link():
    steps = {"long": 4000, "short": 50}
    found, said = from_query({"checkpoint": "short", "steps": "100"}, ["long", "short"], steps.__getitem__)
    assert found["steps"] == 50
    assert len(said) == 1

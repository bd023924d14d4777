"""The Trade-off panel's numbers: curves from a stored evaluation, the dot between them, what is said without one."""

import json
import math

import pytest
from wishes import Tab

from demo.host import EngineHost
from demo.settings import PageSettings
from demo.views.tradeoff.plot import HAT, between_curves, curves_of, on_curve, tradeoff_value


def cell(eta, S, distance, n=256):
    figures = {"frechet": distance, "spread": 0.5, "n": n, "kid": 1.0, "kid_spread": 0.1, "ms_per_evaluation": 1.0,
               "seconds_per_image": 1.0, "wall_clock_s": 1.0}  # fmt: skip
    label = eta if eta == "hat" else f"{eta:g}"
    return f"quality/eta={label}/S={S}", {"kind": "quality", "eta": eta, "S": S, "way": None, "figures": figures}


def document(*cells, sha256="x"):
    floor = {
        "kind": "quality",
        "eta": 0.0,
        "S": 0,
        "way": "floor",
        "figures": {"frechet": 2.0, "spread": 0.1, "n": 256},
    }
    other = {"kind": "reconstruction", "eta": 0.0, "S": 10, "figures": {"mse": 1.0}}
    return {
        "schema": "ddim-evaluation/1",
        "checkpoint": {"name": "tiny", "sha256": sha256, "T": 1000, "spacing": "leading"},
        "cells": {"quality/floor": floor, "reconstruction/plain/S=10": other, **dict(cells)},
    }


@pytest.fixture
def tab(tiny_folder, tmp_path):
    """A tab on a checkpoint folder of its own, "tiny"."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    for file in tiny_folder.iterdir():
        (folder / file.name).symlink_to(file)
    return Tab(EngineHost(tmp_path, device="cpu"), view="tradeoff")


CELLS = [cell(1.0, 100, 5.0), cell(0.0, 10, 16.0), cell(0.0, 1000, 4.0), cell(1.0, 10, 20.0), cell("hat", 10, 300.0)]


def test_curves_rise_in_S_and_the_larger_variance_comes_last_under_its_own_name():
    curves = curves_of(document(*CELLS))
    assert list(curves) == [0.0, 1.0, HAT]
    assert curves[0.0] == [(10, 16.0, 0.5), (1000, 4.0, 0.5)]
    assert curves[HAT] == [(10, 300.0, 0.5)]


@pytest.mark.parametrize(("S", "distance"), [(10, 16.0), (100, 8.0), (1000, 4.0), (9, None), (1001, None)])
def test_between_two_points_it_is_straight_in_the_logarithms(S, distance):
    found = on_curve([(10, 16.0, 0.5), (1000, 4.0, 0.5)], S)
    assert found == (None if distance is None else pytest.approx(distance))


def test_between_two_curves_it_is_straight_in_eta_and_never_called_measured():
    curves = curves_of(document(*CELLS))
    assert between_curves(curves, 10, 0.0) == (16.0, True)
    assert between_curves(curves, 10, 0.25) == (pytest.approx(17.0), False)
    assert between_curves(curves, 100, 0.0) == (pytest.approx(8.0), False)
    assert between_curves(curves, 500, 0.5) == (None, False)  # beyond η = 1's curve
    assert between_curves({}, 10, 0.0) == (None, False)


def test_times_are_this_machines_own():
    page = PageSettings("any", steps=20, eta=0.0, count=16)
    value = tradeoff_value(document(*CELLS), "", page, ms=50.0)
    assert [[p[0], p[1]] for p in value["curves"][0]["points"]] == [[10, 0.5], [1000, 50.0]]
    assert value["dot"]["time"] == pytest.approx(1.0)
    assert value["dot"]["distance"] == pytest.approx(16 * (1 / 4) ** (math.log(2) / math.log(100)))
    assert (value["floor"], value["label"]) == (2.0, "any · n = 256")
    assert "read off between" in value["said"]
    assert "measured)" in tradeoff_value(document(*CELLS), "", PageSettings("any", steps=10), 50.0)["said"]
    assert "no distance" in tradeoff_value(document(*CELLS), "", PageSettings("any", steps=3), 50.0)["said"]
    assert [c["eta"] for c in value["curves"]] == [0.0, 1.0, None]  # σ̂ has no place on the slider


def test_the_papers_claim_names_its_fewest_steps_and_the_race_that_shows_it():
    page = PageSettings("any", spacing="trailing")

    def claim(*cells, ddpm=(1.0, 1000, 10.0)):
        return tradeoff_value(document(*cells, cell(*ddpm)), "", page, 50.0)["claim"]

    assert claim(*CELLS, ddpm=(1.0, 500, 10.0)) is None  # nothing to set them beside
    found = claim(cell(0.0, 10, 12.0), cell(0.0, 50, 10.9), cell(0.0, 100, 9.0))
    assert found["said"] == (  # each cell took a second
        "50 steps without noise come within 10 % of DDPM's 1000, 1.0 times faster: distance 10.90 ± 0.50 beside "
        "10.00 ± 0.50 (n = 256)."
    )
    assert found["lanes"] == [{"steps": 50, "eta": 0.0, "spacing": "leading"},  # as it was measured
                              {"steps": 1000, "eta": 1.0, "spacing": "leading"}]  # fmt: skip
    found = claim(cell(0.0, 10, 20.0), cell(0.0, 50, 12.0))
    assert found["said"] == (
        "No fewer steps without noise that were measured come within 10 % of DDPM's 1000 (10.00 ± 0.50; n = 256); "
        "S = 50 comes nearest, 20 ± 8 % above."
    )
    assert found["lanes"] is None
    assert claim(cell(0.0, 1000, 9.0))["lanes"] is None  # all of the steps are no fewer


def test_more_pictures_than_the_plots_decide_the_claim_and_it_says_so():
    cells = [cell(0.0, 20, 12.0), cell(1.0, 1000, 10.0)]
    for eta, S, distance in ((0.0, 20, 5.0), (1.0, 1000, 5.0)):
        key, found = cell(eta, S, distance, n=1000)
        cells.append((key.replace("quality", "headline"), {**found, "kind": "headline"}))
    said = tradeoff_value(document(*cells), "", PageSettings("any"), 50.0)["claim"]["said"]
    assert said.startswith("20 steps without noise come within 10 %")
    assert "(n = 1,000, which gives smaller distances than the plot's 256)" in said


def test_without_an_evaluation_it_says_what_makes_one(tab):
    def shown(**changes):
        return tab.want(**changes).panels["tradeoff"]

    assert shown()["state"] == "none"
    assert "core evaluate" in shown()["note"]
    assert "--data TRAIN --held-out HELD" in shown()["note"]
    path = tab.host.root / "tiny" / "evaluation.json"
    path.write_text("{", encoding="utf-8")
    assert "cannot be read" in shown()["note"]
    sha256 = tab.host.engine("tiny").checkpoint.sha256
    nothing = [cell(0.0, 10, 5.0), cell(1.0, 1000, 0.0)]  # a distance that nothing can be divided by
    path.write_text(json.dumps(document(*nothing, sha256=sha256)), encoding="utf-8")
    assert "cannot be read" in shown()["note"]
    path.write_text(json.dumps(document(*CELLS)), encoding="utf-8")
    assert "other weights" in shown()["note"]
    path.write_text(json.dumps(document(*CELLS, sha256=sha256)), encoding="utf-8")
    assert (shown()["state"], shown()["note"]) == ("done", "")
    assert len(shown()["curves"]) == 3
    assert "Measured with leading" in shown(spacing="trailing")["note"]
    assert tab.want().status[0] == "done"


def test_the_dot_moves_with_the_settings_and_takes_no_run(tab):
    sha256 = tab.host.engine("tiny").checkpoint.sha256
    path = tab.host.root / "tiny" / "evaluation.json"
    path.write_text(json.dumps(document(*CELLS, sha256=sha256)), encoding="utf-8")
    answer = tab.want(steps=10, eta=0.0)
    assert answer.panels["tradeoff"]["dot"]["distance"] == 16.0
    assert tab.want(eta=1.0).panels["tradeoff"]["dot"]["distance"] == 20.0
    dots = [tab.want(steps=S).panels["tradeoff"]["dot"] for S in (10, 100)]
    assert dots[1]["time"] == pytest.approx(10 * dots[0]["time"])
    assert tab.session.last == {}


def test_the_dot_is_on_the_curve_of_the_solver_that_the_page_is_set_to():
    figures = cell(0.0, 10, 7.0)[1]["figures"]
    other = {"kind": "quality", "eta": 0.0, "S": 10, "way": "dpm-solver++", "figures": figures}
    measured = document(*CELLS, ("quality/dpm-solver++/S=10", other))
    page = PageSettings("any", steps=10, solver="dpm-solver++")
    value = tradeoff_value(measured, "", page, ms=1.0)
    assert [curve["name"] for curve in value["curves"]][-1] == "DPM-Solver++ 2M"
    assert value["dot"]["distance"] == 7.0
    assert "DPM-Solver++ 2M" in value["said"]
    without = tradeoff_value(document(*CELLS), "", page, ms=1.0)
    assert without["dot"]["distance"] is None  # DDIM's is not its

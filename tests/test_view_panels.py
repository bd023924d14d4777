"""What each view runs and shows: its jobs, first answers, and its panels from a first run to another checkpoint's."""

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from wishes import Tab, host_of

from core import NoiseSchedule, Request, SamplerSettings, SamplingDefaults, UNet, save_checkpoint
from demo.computing import few_steps
from demo.field_lists import plain
from demo.given import Given
from demo.pictures import Picture
from demo.settings import FIELDS, Lane, PageSettings, corrected
from demo.views import VIEWS
from demo.views.interpolate import cross_fade

PAGE = PageSettings("tiny")
JOBS = {view.name: view.jobs for view in VIEWS}


@pytest.fixture(scope="module")
def host(tmp_path_factory, tiny_folder, tiny_config):
    """Two checkpoints: "tiny", and "wide", with larger pictures and fewer steps."""
    root, config = tmp_path_factory.mktemp("scene"), replace(tiny_config, sample_size=16)
    defaults = SamplingDefaults(prediction_type="v_prediction")
    torch.manual_seed(8)
    schedule = NoiseSchedule(num_train_timesteps=100)
    save_checkpoint(root / "wide", UNet(config).state_dict(), config, schedule, defaults)
    return host_of(root, tiny_folder)


@pytest.fixture
def tab(host):
    return Tab(host)


def test_each_view_runs_what_it_shows_and_nothing_else():
    assert {view: [job.name for job in jobs(PAGE)] for view, jobs in JOBS.items() if view != "grid"} == {
        "explore": ["a", "b", "samples", "strip"], "compare": ["lane0", "lane1", "lane2"],
        "interpolate": ["place", "path", "sheet"], "branches": ["row 0", "row 1", "row 2", "row 3"],
        "picture": ["journey", "bridge", "others", *(f"error {S} {k}" for S in (5, 10, 20, 50, 100) for k in (0, 1))],
        "tradeoff": [], "reproduce": [], "learn": [],
    }  # fmt: skip
    race = JOBS["compare"](replace(PAGE, lanes=(Lane(50, 0.0), Lane(5, 1.0))))
    assert [(job.name, job.evaluations) for job in race] == [("lane1", 5), ("lane0", 50)]  # the short one first
    assert {job.request.seeds for job in race} == {(PAGE.seed,)}


@pytest.mark.parametrize("far", [-1e9, 1e99])
@pytest.mark.parametrize("view", JOBS)
def test_every_view_can_run_at_both_ends_of_every_control(host, view, far):
    """That is, of every one that has ends."""
    lists = {
        "lanes": [{"steps": far, "eta": far}] * 2,
        "crop": [far] * 3,
        "crop_to": [far] * 3,
        "keys": [far] * 8,
        "corners": [far] * 4,
        "grid_steps": [far],
        "grid_etas": [far],
        "place": [far, far],
        "grid_seeds": [far],
        "branch_at": [far],
    }
    one = dict.fromkeys(
        ("steps", "eta", "seed", "seed_to", "count", "steps_b", "eta_b", "between", "branch_eta", "branch_count",
         "refine", "label"), far,
    )  # fmt: skip
    assert set(FIELDS) - set(one) - set(lists) == {
        "view", "what", "shape", "spacing", "solver", "captions", "loop", "own_noise", "picture", "picture_to",
        "grid_x", "grid_y", "grid_spacings", "grid_solvers",
    }  # fmt: skip
    page = corrected({**one, **lists, "view": view}, ["tiny"], lambda _: 1000).page
    engine, shown = host.engine("tiny"), next(one for one in VIEWS if one.name == view)
    white = Given(np.full((8, 8, 3), 255, np.uint8), Picture(""))
    made = shown.fitted(shown.jobs(page), engine, lambda _: white)
    assert len(made) == len(shown.jobs(page))
    for job in made:
        assert engine.plan(job.request), job.name


@pytest.mark.parametrize(("loop", "count"), [(True, 18), (False, 13)])
def test_a_path_has_its_keys_on_it(loop, count):
    path = next(job for job in JOBS["interpolate"](replace(PAGE, loop=loop)) if job.name == "path")
    assert path.request.count == count


@pytest.mark.parametrize(
    ("view", "name", "S", "ms", "few"),
    [("explore", "a", 20, 2, None), ("explore", "a", 20, 10, 5), ("explore", "a", 1000, 80, 2),
     ("explore", "a", 2, 500, None), ("explore", "a", 20, 0, None), ("explore", "samples", 100, 80, None),
     ("interpolate", "place", 50, 10, 5), ("interpolate", "sheet", 10, 1, 4), ("interpolate", "sheet", 4, 100, None),
     ("compare", "lane2", 20, 80, None)],
)  # fmt: skip
def test_few_steps_come_first_where_the_run_itself_would_not_answer_at_once(view, name, S, ms, few):
    job = next(job for job in JOBS[view](replace(PAGE, steps=S)) if job.name == name)
    assert few_steps(job, ms) == few


def test_an_answer_at_few_steps_starts_from_the_same_noise_and_is_replaced(tab, monkeypatch):
    tab.want(view="learn")
    monkeypatch.setattr(tab.host.pace, "expected_ms", lambda name, batch: 20.0)
    answer = tab.want(view="explore", steps=40)
    shown = [m["value"]["a"] for m in answer.messages if m.get("panel") == "duel" and m["value"]["a"]]
    coarse = [a for a in shown if a["state"] == "coarse"]
    assert coarse
    assert {(a["steps"], a["seeds"][0]) for a in coarse} == {(2, tab.settings["seed"])}
    assert (shown[-1]["state"], shown[-1]["steps"]) == ("done", 40)


def test_explore_fills_every_panel_with_measured_figures(tab):
    panels = tab.want(steps=4).panels
    duel = panels["duel"]
    assert (panels["samples"]["n"], panels["strip"]["n"]) == (4, 11)
    assert (duel["a"]["steps"], duel["b"]["steps"], duel["state"]) == (4, 2, "done")
    assert duel["a"]["t"] == [750, 500, 250, 0, -1]
    for value in (panels["samples"], panels["strip"], duel["a"], duel["b"]):
        assert (value["state"], value["checkpoint"]) == ("done", "tiny")
        assert value["weights"] == tab.host.engine("tiny").checkpoint.sha256[:8]
        assert [row[2].partition(",")[0] for row in value["readout"][:3]] == ["measured"] * 3


def test_the_race_fills_its_lanes_and_measures_how_far_they_are_apart(tab):
    lanes = (Lane(2, 0.0), Lane(6, 0.0), Lane(4, 1.0))
    found = tab.want(view="compare", lanes=plain(lanes)).panels
    race = found["race"]
    assert race["state"] == "done"
    assert [Lane(v["steps"], v["eta"]) for v in race["lanes"]] == list(lanes)
    for lane in race["lanes"]:
        assert lane["at_s"] == sorted(lane["at_s"])
        assert len(lane["at_s"]) == lane["steps"] + 1
        assert lane["at_s"][-1] == pytest.approx(lane["total_s"], abs=1e-4)
    assert found["apart"]["reference"] == "S = 6 · η = 0"
    rms = found["apart"]["rms"]
    assert rms[1] == 0
    assert rms[2] > rms[0] > 0


def test_once_the_picture_of_all_steps_is_known_it_is_the_reference(tab):
    tab.want(view="compare", seed=31, lanes=plain((Lane(1000, 0.0), Lane(2, 0.0))))
    apart = tab.want(lanes=plain((Lane(5, 0.0), Lane(2, 0.0)))).panels["apart"]
    assert apart["reference"] == "S = 1000 · η = 0"
    assert min(apart["rms"]) > 0


def test_after_ddpm_has_run_every_runner_is_measured_against_it(tab):
    lanes = tab.want(view="compare", lanes=plain((Lane(5, 0.0), Lane(1000, 1.0)))).panels["race"]["lanes"]
    rows = [{row[0]: row[1:] for row in lane["readout"]} for lane in lanes]
    assert rows[0]["vs DDPM 1000"][1] == "measured"
    assert rows[1]["vs DDPM 1000"] == ["1.0×", "measured"]


def test_interpolate_fills_path_cross_fade_sheet_and_place(tab):
    panels = tab.want(view="interpolate", eta=1.0).panels
    path, square = panels["path"], panels["square"]
    assert (path["n"], path["between"]) == (18, 6)
    assert tab.pictures[path["fade"]].startswith("data:image/webp")
    assert path["fade"] != path["tiles"]
    assert "same added noise" in path["note"]
    assert (square["sheet"]["n"], square["place"]["n"], square["state"]) == (49, 1, "done")
    assert list(square["place"]["at"]) == [0.5, 0.5]


@pytest.mark.parametrize(("loop", "own"), [(True, False), (False, True)])
def test_a_cross_fade_meets_the_path_at_its_keys_and_is_straight_between(loop, own):
    path = np.random.default_rng(own).integers(0, 256, (6, 4, 4, 3), dtype=np.uint8)[: 6 if loop else 4]
    fade = cross_fade(path, keys=2, between=3, loop=loop)
    assert fade.shape == path.shape
    assert np.array_equal(fade[[0, 3]], path[[0, 3]])
    third = path[0] + (path[3].astype(float) - path[0]) / 3
    assert np.abs(fade[1] - third).max() <= 0.5
    if loop:
        back = path[3] + (path[0].astype(float) - path[3]) / 3
        assert np.abs(fade[4] - back).max() <= 0.5


def test_the_curve_is_the_samplers_own_schedule_in_every_view(tab):
    curve = tab.want(view="learn", steps=5, eta=0.5).panels["curve"]
    plan = tab.host.engine("tiny").plan(Request((0,), SamplerSettings(5, 0.5, "leading")))
    assert [s[0] for s in curve["steps"]] == [c.t for c in plan]
    assert [s[2] for s in curve["steps"]] == pytest.approx([c.noise for c in plan], abs=1e-4)
    assert (curve["T"], curve["S"], curve["eta"]) == (1000, 5, 0.5)
    assert len(tab.want(steps=1000).panels["curve"]["steps"]) <= 200
    assert tab.want(view="tradeoff", steps=9).panels["curve"]["S"] == 9


def test_a_picture_travels_once(tab):
    sent = [picture for seed in (3, 4, 3) for m in tab.want(seed=seed).messages for picture in m.get("pictures", ())]
    assert len(sent) == len(set(sent))
    again = tab.want(anew=True, eta_b=0.0)  # computed anew, and A's picture is the same to the last bit
    duel, new = again.panels["duel"], {picture for m in again.messages for picture in m.get("pictures", ())}
    assert duel["a"]["film"] not in new
    assert duel["b"]["film"] in new


def tile(tab, value):
    """(width, height) of a tile, as the browser cuts it."""
    head, _, data = tab.pictures[value["tiles"]].partition(",")
    across, down = map(int, re.search(r"tiles=(\d+)x(\d+)", head).groups())
    with Image.open(io.BytesIO(base64.b64decode(data))) as sheet:
        return sheet.width / across, sheet.height / down


def test_what_another_checkpoint_made_says_so_while_the_new_one_runs(tab):
    tab.want(view="explore", checkpoint="tiny")
    answer, messages = tab.begin(checkpoint="wide")
    while "strip" not in answer.panels:
        next(messages)
    strip = answer.panels["strip"]
    tiny = tab.host.engine("tiny").checkpoint
    assert strip["state"] == "stale"
    assert (strip["checkpoint"], strip["weights"], tile(tab, strip)) == ("tiny", tiny.sha256[:8], (8, 8))
    assert any(row[0] == "vs DDPM 1000" for row in strip["readout"])
    for _ in messages:
        pass
    strip = answer.panels["strip"]
    assert (strip["checkpoint"], tile(tab, strip)) == ("wide", (16, 16))


def test_runners_of_another_checkpoint_do_not_stand_beside_new_ones(tab):
    lanes = plain((Lane(2, 0.0), Lane(6, 0.0)))
    tab.want(view="compare", checkpoint="tiny", lanes=lanes)
    races = [m["value"]["lanes"] for m in tab.want(checkpoint="wide").messages if m.get("panel") == "race"]
    begun = [race for race in races if any(lane and lane["state"] != "stale" for lane in race)]
    assert begun
    assert not any(lane and lane["state"] == "stale" for race in begun for lane in race)

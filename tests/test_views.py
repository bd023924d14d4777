"""What each view needs and shows: jobs, coarse answers, cross-fades, differences, panels. Pure, so no browser."""

import json
from dataclasses import replace

import numpy as np
import pytest

from core import Request, SamplerSettings
from demo import runs, views
from demo.handlers import Handlers
from demo.host import EngineHost
from demo.panels_of import panels
from demo.settings import RACE, Lane, PageSettings, as_control, page_settings

PAGE = PageSettings("tiny")


@pytest.fixture
def handlers(tiny_folder, tmp_path):
    (tmp_path / "tiny").symlink_to(tiny_folder, target_is_directory=True)
    return Handlers(EngineHost(tmp_path, device="cpu"))


def values(**changes):
    """Control values in order, as the page sends them."""
    lists = ("lanes", "keys", "corners", "place", "grid_steps", "grid_etas")
    page = {name: getattr(PAGE, name) for name in PageSettings.__dataclass_fields__}
    page |= {"steps": 3, "steps_b": 2, "count": 2, **changes}
    return tuple(as_control(v) if name in lists and not isinstance(v, str) else v for name, v in page.items())


def final(updates):
    shown = {}
    for update in updates:
        shown |= update.panels
    return shown, update


def test_the_values_of_the_controls_come_back_as_settings():
    page = page_settings(1000, *values(view="compare", lanes=(Lane(5, 0.5, "trailing"), Lane(9, 0.0)), place=(0.1, 1)))
    assert page.lanes == (Lane(5, 0.5, "trailing"), Lane(9, 0.0))
    assert (page.view, page.place, page.keys) == ("compare", (0.1, 1.0), (3, 8, 12))
    assert page_settings(1000, "tiny").lanes == RACE


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lanes": "[]"}, "runners"), ({"lanes": "no"}, "runners"), ({"lanes": "[1,2]"}, "runner needs"),
        ({"lanes": as_control((Lane(0, 0.0), Lane(5, 0.0)))}, "Steps of runner A"),
        ({"lanes": as_control((Lane(5, 0.0), Lane(5, 2.0)))}, "η of runner B"),
        ({"lanes": as_control((Lane(5, 0.0), Lane(5, 1.0, "odd")))}, "spacing of runner B"),
        ({"keys": "[1]"}, "key seeds"), ({"keys": "[1,2.5]"}, "seed"), ({"keys": json.dumps([1] * 9)}, "key seeds"),
        ({"corners": "[1,2,3]"}, "corner seeds"), ({"place": "[0.5]"}, "place"), ({"place": "[0.5,7]"}, "place"),
        ({"between": 0}, "Pictures"), ({"view": "../etc"}, "view"), ({"spacing": "odd"}, "spacing"),
    ],
)  # fmt: skip
def test_odd_values_become_one_sentence(handlers, change, words):
    (update,) = list(handlers.run("tab", values(**change)))
    assert update.status[0] == "error"
    assert words in update.status[1]


def test_each_view_runs_what_it_shows_and_nothing_else():
    names = {view: [job.name for job in runs.jobs(replace(PAGE, view=view))]
             for view in ("explore", "compare", "interpolate", "learn")}  # fmt: skip
    assert names == {
        "explore": ["a", "b", "samples", "strip"], "compare": ["lane0", "lane1", "lane2"],
        "interpolate": ["place", "path", "sheet"], "learn": [],
    }  # fmt: skip
    race = runs.jobs(replace(PAGE, view="compare", lanes=(Lane(50, 0.0), Lane(5, 1.0))))
    assert [(job.name, job.evaluations) for job in race] == [("lane1", 5), ("lane0", 50)]  # the short one first
    assert {job.request.seeds for job in race} == {(PAGE.seed,)}


def test_a_path_has_its_keys_on_it():
    for loop, count in ((True, 18), (False, 13)):
        page = replace(PAGE, view="interpolate", loop=loop)
        path = next(job for job in runs.jobs(page) if job.name == "path")
        assert path.request.count == page.frames == count


@pytest.mark.parametrize(
    ("name", "S", "ms", "few"),
    [("a", 20, 2, None), ("a", 20, 10, 5), ("a", 1000, 80, 2), ("a", 2, 500, None), ("place", 50, 10, 5),
     ("b", 1000, 80, None), ("samples", 100, 80, None), ("lane0", 1000, 80, None)],
)  # fmt: skip
def test_a_coarse_answer_comes_first_where_the_run_takes_longer_than_a_first_look(name, S, ms, few):
    job = runs.Job(name, Request((1,), SamplerSettings(S)))
    first = runs.coarse(job, ms)
    assert (first and first.evaluations) == few
    if first:
        assert first.coarse
        assert first.request.seeds == job.request.seeds


def test_the_sheet_is_shown_coarse_first():
    job = runs.Job("sheet", Request((1, 2, 3, 4), SamplerSettings(10), sheet=7))
    assert runs.coarse(job, 1.0).evaluations == runs.COARSE_SHEET_STEPS
    few = replace(job, request=runs.with_steps(job.request, 4))
    assert runs.coarse(few, 1.0) is None


def test_the_race_fills_its_lanes_and_measures_how_far_they_are_apart(handlers):
    lanes = (Lane(2, 0.0), Lane(6, 0.0), Lane(4, 1.0))
    shown, last = final(handlers.run("tab", values(view="compare", lanes=lanes)))
    assert last.status[0] == "done"
    race = shown["race"]
    assert [(lane["steps"], lane["eta"], lane["state"]) for lane in race["lanes"]] == [
        (2, 0.0, "done"), (6, 0.0, "done"), (4, 1.0, "done"),
    ]  # fmt: skip
    for lane in race["lanes"]:
        assert lane["at_s"] == sorted(lane["at_s"])
        assert len(lane["at_s"]) == lane["steps"] + 1
        assert lane["at_s"][-1] == pytest.approx(lane["total_s"], abs=1e-4)
    assert race["apart"]["reference"] == "S = 6 · η = 0"
    rms = race["apart"]["rms"]
    assert rms[1] == 0
    assert rms[2] > rms[0] > 0


def test_once_the_thousand_step_picture_is_known_it_is_the_reference(handlers):
    list(handlers.run("tab", values(view="compare", lanes=(Lane(1000, 0.0), Lane(2, 0.0))), ask_above_s=1e9))
    shown, _ = final(handlers.run("tab", values(view="compare", lanes=(Lane(5, 0.0), Lane(2, 0.0)))))
    assert shown["race"]["apart"]["reference"] == "S = 1000 · η = 0"
    assert min(shown["race"]["apart"]["rms"]) > 0


def test_after_ddpm_has_run_every_runner_is_measured_against_it(handlers):
    lanes = (Lane(5, 0.0), Lane(1000, 1.0))
    shown, _ = final(handlers.run("tab", values(view="compare", lanes=lanes), ask_above_s=1e9))
    rows = [{r[0]: r[1:] for r in lane["readout"]} for lane in shown["race"]["lanes"]]
    assert rows[0]["vs DDPM 1000"][1] == "measured"
    assert rows[1]["vs DDPM 1000"] == ["1.0×", "measured"]


def test_interpolate_fills_path_cross_fade_sheet_and_place(handlers):
    shown, last = final(handlers.run("tab", values(view="interpolate", eta=1.0), ask_above_s=1e9))
    assert last.status[0] == "done"
    path, square = shown["path"], shown["square"]
    assert (path["n"], path["between"]) == (18, 6)
    assert path["fade"].startswith("data:image/webp")
    assert path["fade"] != path["tiles"]
    assert "same added noise" in path["note"]
    assert (square["sheet"]["n"], square["place"]["n"]) == (49, 1)
    assert square["place"]["at"] == (0.5, 0.5)


def test_a_cross_fade_meets_the_path_at_its_keys_and_is_straight_between():
    path = np.random.default_rng(0).integers(0, 256, (6, 4, 4, 3), dtype=np.uint8)
    fade = runs.cross_fade(path, keys=2, between=3, loop=True)
    assert np.array_equal(fade[[0, 3]], path[[0, 3]])
    third = path[0] + (path[3].astype(float) - path[0]) / 3
    assert np.abs(fade[1] - third).max() <= 0.5
    back = path[3] + (path[0].astype(float) - path[3]) / 3
    assert np.abs(fade[4] - back).max() <= 0.5
    line = runs.cross_fade(path[:4], keys=2, between=3, loop=False)
    assert np.array_equal(line[-1], path[3])


def test_panels_group_what_stands_together():
    shown = {"a": {"x": 1}, "lane1": {"x": 2}, "sheet": {"x": 3}, "strip": {"x": 4}}
    assert panels({"a": {}}, shown, 2) == {"duel": {"a": {"x": 1}, "b": None}}
    assert panels({"lane1": {}}, shown, 2, {"rms": [0]}) == {"race": {"lanes": [None, {"x": 2}], "apart": {"rms": [0]}}}
    assert panels({"place": {}, "strip": {}}, shown, 2) == {
        "square": {"sheet": {"x": 3}, "place": None}, "strip": {"x": 4},
    }  # fmt: skip


def test_a_finished_film_does_not_travel_with_a_passing_preview():
    b = {"state": "done", "film": "half a megabyte", "readout": []}
    for passing in ("running", "coarse"):
        a = {"state": passing, "film": "preview"}
        assert panels({"a": a}, {"a": a, "b": b}, 0)["duel"] == {"a": a, "b": {"state": "done", "readout": []}}
    for end in ("done", "stopped"):  # what stays on the screen is whole
        a = {"state": end, "film": "all"}
        assert panels({"a": a}, {"a": a, "b": b}, 0)["duel"] == {"a": a, "b": b}
    assert panels({"a": {"state": "running"}, "b": b}, {"a": {"state": "running"}, "b": b}, 0)["duel"]["b"] == b


def test_the_curve_is_the_sampler_s_own_schedule(handlers):
    shown, _ = final(handlers.run("tab", values(steps=5, eta=0.5)))
    curve = shown["curve"]
    engine = handlers.host.engine("tiny")
    plan = engine.plan(Request((0,), SamplerSettings(5, 0.5, "leading")))
    assert [s[0] for s in curve["steps"]] == [c.t for c in plan]
    assert [s[2] for s in curve["steps"]] == pytest.approx([c.noise for c in plan], abs=1e-4)
    assert (curve["T"], curve["S"]) == (1000, 5)
    shown, _ = final(handlers.run("tab", values(steps=1000, view="interpolate")))
    assert len(shown["curve"]["steps"]) <= 200
    shown, _ = final(handlers.run("tab", values(steps=9, eta=0.5, view="learn")))
    assert (shown["curve"]["S"], shown["curve"]["eta"]) == (9, 0.5)  # the sidebar is there in every view


def test_time_is_fitted_from_what_was_measured_here(handlers, monkeypatch):
    with pytest.raises(ValueError, match="loading"):
        handlers.fit_steps(values(), 2)
    handlers.host.engine("tiny")
    monkeypatch.setattr(handlers.host, "expected_ms", lambda name, batch: 10.0 * batch)
    assert handlers.fit_steps(values(count=4), 2) == 50
    assert handlers.fit_steps(values(count=4), 1e-6) == 1
    assert handlers.fit_steps(values(count=4), 1e5) == 1000
    for bad in (0, -1, None, "2", True, float("nan")):
        with pytest.raises(ValueError, match="seconds"):
            handlers.fit_steps(values(), bad)


def test_a_waiting_run_says_who_is_before_it_and_may_be_stopped(handlers):
    handlers.host.engine("tiny")
    with handlers.turns.joined():
        run = handlers.run("tab", values())
        update = next(run)
        assert update.status == ("waiting", views.waiting_note(1))
        handlers.sessions.stop("tab")
        assert next(run).status[0] == "stopped"
    assert "2 runs are" in views.waiting_note(2)


def test_a_waiting_run_that_is_no_longer_wanted_leaves_without_a_word(handlers):
    handlers.host.engine("tiny")
    with handlers.turns.joined():
        run = handlers.run("tab", values())
        next(run)
        handlers.want("tab", values(steps=2))
        assert list(run) == []


def test_a_path_s_download_loops_by_itself_and_a_race_carries_every_record(handlers):
    from core.record import read_record

    list(handlers.run("tab", values(view="interpolate"), ask_above_s=1e9))
    assert handlers.export("tab", "path-gif").endswith("path.gif")
    assert handlers.export("tab", "sheet-png").endswith("sheet.png")
    lanes = (Lane(2, 0.0), Lane(3, 1.0))
    handlers.want("tab", values(view="compare", lanes=lanes))
    with pytest.raises(ValueError, match="wait until"):
        handlers.export("tab", "race-gif")
    list(handlers.run("tab", values(view="compare", lanes=lanes)))
    record = read_record(handlers.export("tab", "race-gif"))
    assert [r["request"]["settings"]["eta"] for r in record["runs"]] == [0.0, 1.0]

"""Checkpoints with fewer than 1000 steps: every view runs, and shows, what they can take."""

import asyncio
import json
from types import SimpleNamespace
from urllib.parse import parse_qs

import pytest
import torch
from test_views import final, values

from core import NoiseSchedule, SamplingDefaults, UNet, save_checkpoint
from core.record import read_record
from demo.handlers import Handlers
from demo.host import EngineHost
from demo.learn import EXPERIMENTS
from demo.links import NAMES, to_query
from demo.page import CUT, GLANCED, build_page
from demo.settings import RACE, VIEWS, Lane, as_control, page_settings

TAB = SimpleNamespace(session_hash="tab", query_params={})


@pytest.fixture(scope="module")
def root(tmp_path_factory, tiny_folder, tiny_config):
    """A folder of three checkpoints, T = 40, 500 and 1000; the page opens on "t40"."""
    folder, defaults = tmp_path_factory.mktemp("short"), SamplingDefaults(prediction_type="v_prediction")
    for T in (40, 500):
        torch.manual_seed(7)
        schedule = NoiseSchedule(num_train_timesteps=T)
        save_checkpoint(folder / f"t{T}", UNet(tiny_config).state_dict(), tiny_config, schedule, defaults)
    (folder / "tiny").symlink_to(tiny_folder, target_is_directory=True)
    return folder


@pytest.fixture(scope="module")
def handlers(root):
    return Handlers(EngineHost(root, device="cpu"))


@pytest.fixture(scope="module")
def page(handlers):
    return build_page(handlers.host, handlers)


def functions(page, name):
    """What the page calls, by the name it has in build_page, in order."""
    return [found.fn for found in page.fns.values() if found.name == name]


def controls_of(page):
    """The page's controls by name, in the order that the handlers get their values."""
    (want,) = [found for found in page.fns.values() if found.name == "want"]
    return dict(zip(NAMES, want.inputs, strict=True))


def controls_set(page, out):
    """What one answer sets the controls to, by name."""
    return {name: out[block] for name, block in controls_of(page).items() if block in out}


def wanted(page, sent):
    """What the answer to a change sets the controls to, by name."""
    (want,) = functions(page, "want")
    answer = asyncio.run(want(TAB, *sent))[len(GLANCED) :]
    return {name: value for name, value in zip(CUT, answer, strict=True) if isinstance(value, (int, str))}


def lane_steps(text):
    return [lane["steps"] for lane in json.loads(text)]


@pytest.mark.parametrize("T", [40, 500])
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_runs_with_the_controls_as_they_are_and_shows_what_it_ran(handlers, view, T):
    sent = values(checkpoint=f"t{T}", view=view)  # lanes of 10, 50 and 1000; columns of 5, 10, 20 and 50
    handlers.want("tab", sent)
    shown, last = final(handlers.run("tab", sent, ask_above_s=1e9))
    assert last.status[0] == "done"
    link = parse_qs(to_query(handlers.settings(sent)))
    assert link["lanes"] == [f"10:0:leading,{min(T, 50)}:0:leading,{T}:1:leading"]
    assert link["grid_steps"] == [f"5,10,20,{min(T, 50)}"]
    if view == "compare":
        lanes = shown["race"]["lanes"]
        assert [lane["steps"] for lane in lanes] == [10, min(T, 50), T]
        assert lanes[2]["label"] == f"S = {T} · η = 1"
        assert {row[0]: row[1:] for row in lanes[2]["readout"]}[f"vs DDPM {T}"] == ["1.0×", "measured"]
        record = read_record(handlers.export("tab", "race-gif"))
        assert [r["request"]["settings"]["steps"] for r in record["runs"]] == [10, min(T, 50), T]
    if view == "grid":
        assert shown["grid"]["grid"]["steps"] == [5, 10, 20, min(T, 50)]
        record = read_record(handlers.export("tab", "grid-png"))
        assert {r["request"]["settings"]["steps"] for r in record["runs"]} == {5, 10, 20, min(T, 50)}


def test_columns_that_become_equal_are_one_and_runners_stay_apart():
    page = page_settings(8, "any", steps=8, steps_b=1)
    assert page.grid_steps == (5, 8)
    assert page.lanes == (Lane(8, 0.0), Lane(8, 0.0), Lane(8, 1.0))
    assert page_settings(1000, "any").lanes == RACE


@pytest.mark.parametrize("lanes", [(Lane(0, 0.0), Lane(5, 0.0)), (Lane(2.5, 0.0), Lane(5, 0.0))])
def test_steps_that_are_no_number_of_steps_are_still_refused(lanes):
    with pytest.raises(ValueError, match="Steps of runner A"):
        page_settings(40, "any", lanes=as_control(lanes))


def test_the_page_opens_on_a_short_schedule_with_what_it_runs(page, handlers):
    sent = {name: control.value for name, control in controls_of(page).items()}
    assert sent["checkpoint"] == "t40"
    assert lane_steps(sent["lanes"]) == [10, 40, 40]
    assert json.loads(sent["grid_steps"]) == [5, 10, 20, 40]
    assert wanted(page, sent.values()) == {}  # nothing is left to cut
    (restore,) = functions(page, "restore")
    outs = list(restore(TAB, "ring", *sent.values()))
    assert not any('data-state="error"' in str(out) for out in outs)
    assert 'data-state="done"' in str(outs[-1])


def test_choosing_a_shorter_schedule_cuts_the_controls_that_ask_for_more(page):
    new = wanted(page, values(checkpoint="t40", steps=100, steps_b=20, lanes=RACE))
    assert (new.pop("steps"), lane_steps(new.pop("lanes"))) == (40, [10, 40, 40])
    assert json.loads(new.pop("grid_steps")) == [5, 10, 20, 40]
    assert new == {}  # B's 20 steps stay
    assert wanted(page, values(checkpoint="tiny", steps=100)) == {}  # T = 1000 takes them all
    assert wanted(page, values(checkpoint="nowhere", steps=100)) == {}
    assert wanted(page, values(checkpoint="t40", seed=None)) == {}  # the run says what is wrong with the seed


@pytest.mark.parametrize("number", range(len(EXPERIMENTS)), ids=[one.key for one in EXPERIMENTS])
def test_every_experiment_runs_on_a_short_schedule_and_sets_the_controls_to_what_runs(page, handlers, number):
    before = values(checkpoint="t40", count=1)
    start = functions(page, "start")[number]
    outs = list(start(TAB, *before))
    assert not any('data-state="error"' in str(out) for out in outs)
    new = controls_set(page, outs[0])
    now = {**dict(zip(NAMES, before, strict=True)), **new}
    assert handlers.sessions.get("tab").wanted == handlers.settings(tuple(now.values()))
    assert max(now["steps"], now["steps_b"], *lane_steps(now["lanes"])) <= 40
    if EXPERIMENTS[number].key == "ddpm-wins":
        assert lane_steps(new["lanes"]) == [40, 40]


def test_a_link_to_a_short_schedule_cuts_what_it_leaves_out(page):
    (restore,) = functions(page, "restore")
    request = SimpleNamespace(session_hash="tab", query_params={"checkpoint": "t40", "view": "compare"})
    new = controls_set(page, next(iter(restore(request, "ring", *values(checkpoint="tiny", steps=300)))))
    assert (new["checkpoint"], new["steps"], lane_steps(new["lanes"])) == ("t40", 40, [10, 40, 40])


def test_the_sliders_reach_the_steps_of_every_checkpoint(page):
    controls = controls_of(page)
    for name in ("steps", "steps_b", "lanes"):
        assert ", 1000]" in controls[name].html_template
    assert "&quot;high&quot;: 1000," in controls["grid_steps"].html_template


def test_a_changed_control_keeps_the_shape_of_the_points(page):
    (run,) = functions(page, "run")
    sent = values(checkpoint="t40", view="learn", steps=7)
    flow = json.loads(next(iter(next(iter(run(TAB, "moons", *sent))).values())))
    assert (flow["shape"], flow["steps"]) == ("moons", 7)

"""Checkpoints with fewer than 1000 steps: every view runs, and shows, what they can take."""

from urllib.parse import parse_qs

import pytest
import torch
from wishes import Tab, host_of

from core import NoiseSchedule, SamplingDefaults, UNet, save_checkpoint
from core.record import read_record
from demo.field_lists import plain
from demo.page import known
from demo.settings import RACE, VIEWS, first_settings
from demo.tour import TOUR


@pytest.fixture(scope="module")
def host(tmp_path_factory, tiny_folder, tiny_config):
    """A folder of three checkpoints, T = 40, 500 and 1000; the page opens on "t40"."""
    folder, defaults = tmp_path_factory.mktemp("short"), SamplingDefaults(prediction_type="v_prediction")
    for T in (40, 500):
        torch.manual_seed(7)
        schedule = NoiseSchedule(num_train_timesteps=T)
        save_checkpoint(folder / f"t{T}", UNet(tiny_config).state_dict(), tiny_config, schedule, defaults)
    return host_of(folder, tiny_folder)


@pytest.fixture
def tab(host):
    return Tab(host)


def lane_steps(settings):
    return [lane["steps"] for lane in settings["lanes"]]


@pytest.mark.parametrize("T", [40, 500])
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_runs_with_the_controls_as_they_are_and_shows_what_it_ran(tab, tmp_path, view, T):
    asked = {"lanes": plain(RACE), "grid_steps": [5, 10, 20, 50]}
    answer = tab.want(checkpoint=f"t{T}", view=view, **asked)
    assert answer.status[0] == "done"
    assert answer.first["T"] == T
    link = parse_qs(answer.first["query"].removeprefix("?"))
    assert link["lanes"] == [f"10:0,{min(T, 50)}:0,{T}:1"]
    assert link["grid_steps"] == [f"5,10,20,{min(T, 50)}"]
    if view == "compare":
        lanes = answer.panels["race"]["lanes"]
        assert [lane["steps"] for lane in lanes] == [10, min(T, 50), T]
        assert lanes[2]["label"] == f"S = {T} · η = 1"
        assert {row[0]: row[1:] for row in lanes[2]["readout"]}[f"vs DDPM {T}"] == ["1.0×", "measured"]
    if view == "grid":
        assert answer.panels["grid"]["grid"]["columns"] == [f"S = {S}" for S in (5, 10, 20, min(T, 50))]
    for panel in {"compare": ["race"], "grid": ["grid"]}.get(view, []):
        for name, data in tab.files(answer, panel).items():
            (tmp_path / name).write_bytes(data)
            steps = {run["request"]["settings"]["steps"] for run in read_record(tmp_path / name)["runs"]}
            assert steps == ({10, min(T, 50), T} if view == "compare" else {5, 10, 20, min(T, 50)})
        assert (tmp_path / name).is_file()


def test_the_page_opens_on_a_short_schedule_with_what_it_runs(host):
    opening = first_settings("t40", 40).as_json()
    assert known(host)["settings"] == opening
    assert (opening["checkpoint"], lane_steps(opening), opening["grid_steps"]) == ("t40", [10, 40, 40], [5, 10, 20, 40])
    tab = Tab(host)
    answer = tab.want(query="")
    assert answer.first["settings"] == opening
    assert answer.first["said"] == []  # nothing is left to cut
    assert answer.status[0] == "done"


def test_choosing_a_shorter_schedule_cuts_the_controls_that_ask_for_more(tab):
    before = tab.want(view="learn", checkpoint="tiny", steps=100, steps_b=20, lanes=plain(RACE), grid_steps=[5, 50])
    assert before.first["settings"] == {}  # T = 1000 takes them all
    answer = tab.want(checkpoint="t40")
    new = answer.first["settings"]
    assert (new.pop("steps"), new.pop("grid_steps"), lane_steps(new)) == (40, [5, 40], [10, 40, 40])
    assert set(new) == {"lanes"}  # B's 20 steps stay
    assert answer.first["said"] == ["steps: 100 became 40", "grid_steps: 50 became 40"]  # runners were not touched


@pytest.mark.parametrize("stop", TOUR, ids=lambda one: one.key)
def test_every_stop_of_the_tour_runs_on_a_short_schedule_and_sets_the_controls_to_what_runs(tab, stop):
    answer = tab.want(checkpoint="t40", count=1, **stop.as_json()["settings"])
    assert answer.status[0] == "done"
    now = tab.settings
    assert tab.session.page.as_json() == now
    assert max(now["steps"], now["steps_b"], *lane_steps(now)) <= 40
    if stop.key == "ddpm-wins":
        assert lane_steps(answer.first["settings"]) == [40, 40]


def test_a_link_to_a_short_schedule_cuts_what_it_leaves_out(tab):
    tab.want(view="learn", checkpoint="tiny", steps=300)
    new = tab.want(query="?checkpoint=t40&view=compare").first["settings"]
    assert (new["checkpoint"], new["view"], lane_steps(new)) == ("t40", "compare", [10, 40, 40])
    assert new["steps"] == first_settings("t40", 40).steps  # a link does not depend on what was there before


def test_the_sliders_reach_the_steps_of_every_checkpoint_and_no_further(host):
    told = known(host)
    assert told["checkpoints"] == {"t40": 40, "t500": 500, "tiny": 1000}
    assert {T: stops[-1] for T, stops in told["stops"].items()} == {"40": 40, "500": 500, "1000": 1000}
    assert told["fields"]["steps"]["high"] is told["fields"]["steps_b"]["high"] is None  # so T is theirs
    assert told["fields"]["grid_steps"]["high"] is None


def test_a_changed_control_keeps_the_shape_of_the_points(tab):
    tab.want(checkpoint="t40", view="learn", shape="moons")
    flow = tab.want(steps=7).panels["flow"]
    assert (flow["shape"], flow["steps"]) == ("moons", 7)

"""The coarse picture that answers a change before its run has begun."""

import pytest

from demo.handlers import Handlers
from demo.host import EngineHost
from demo.settings import Lane, PageSettings, page_settings

SLOW = ("tiny", 20, 0.0, 3, 4, 8, "leading", 3, 1.0)


@pytest.fixture
def handlers(tiny_folder, tmp_path):
    (tmp_path / "tiny").symlink_to(tiny_folder, target_is_directory=True)
    return Handlers(EngineHost(tmp_path, device="cpu"))


@pytest.fixture
def slow(handlers, monkeypatch):
    """An engine that is thought to take 25 ms an evaluation, so that a single picture is shown coarse first."""
    handlers.host.engine("tiny")
    monkeypatch.setattr(handlers.host, "expected_ms", lambda name, batch: 25.0)
    return handlers


def test_a_glance_shows_one_picture_at_few_steps_and_the_run_does_not_show_it_again(slow):
    slow.want("tab", SLOW)
    seen = slow.glance("tab", SLOW)
    assert set(seen) == {"duel"}
    assert (seen["duel"]["a"]["state"], seen["duel"]["a"]["steps"]) == ("coarse", 2)
    shown = [update.panels["duel"]["a"] for update in slow.go_on("tab", SLOW) if "duel" in update.panels]
    assert shown[-1]["state"] == "done"
    assert "coarse" not in [value["state"] for value in shown if value != seen["duel"]["a"]]


def test_the_run_keeps_the_glance_in_sight_while_the_other_player_is_reused(slow):
    list(slow.go_on("tab", SLOW))
    moved = (SLOW[0], 21, *SLOW[2:])
    slow.want("tab", moved)
    seen = slow.glance("tab", moved)["duel"]
    assert seen["b"]["state"] == "done"
    first = next(update for update in slow.go_on("tab", moved) if "duel" in update.panels).panels["duel"]
    assert first["a"] == seen["a"]


@pytest.mark.parametrize("why", ["bad value", "stopped", "other settings by now", "finished", "as fast as itself",
                                 "shown already", "running already", "it will be asked about"])  # fmt: skip
def test_no_glance_where_it_would_be_wrong_or_no_sooner(slow, why):
    values, wanted = SLOW, SLOW
    if why == "bad value":
        values = (SLOW[0], 0, *SLOW[2:])
    elif why == "other settings by now":
        wanted = (SLOW[0], 30, *SLOW[2:])
    elif why == "as fast as itself":
        values = wanted = (SLOW[0], 2, *SLOW[2:])
    elif why == "it will be asked about":
        values = wanted = (SLOW[0], 900, *SLOW[2:])
    elif why == "finished":
        list(slow.go_on("tab", SLOW))
    slow.want("tab", wanted)
    if why == "shown already":
        assert slow.glance("tab", values)
    if why == "running already":
        run = slow.go_on("tab", SLOW)
        next(run)
    if why == "stopped":
        slow.sessions.stop("tab")
    assert slow.glance("tab", values) == {}


def test_a_glance_of_one_view_is_not_taken_for_another_views_picture(slow):
    slow.want("tab", SLOW)
    assert slow.glance("tab", SLOW)
    page = page_settings(1000, *SLOW)
    compare = PageSettings(**{**vars(page), "view": "compare", "lanes": (Lane(20, 0.0), Lane(4, 0.0))})
    slow.sessions.want("tab", compare)
    slow.settings = lambda values: compare
    shown = [update.panels["race"]["lanes"][0] for update in slow.go_on("tab", SLOW) if "race" in update.panels]
    assert "coarse" not in [lane["state"] for lane in shown if lane]


def test_stop_before_the_first_run_begins_leaves_no_picture_that_says_refining(slow):
    slow.want("tab", SLOW)
    assert slow.glance("tab", SLOW)
    run = slow.go_on("tab", SLOW)
    assert next(run).status[0] == "running"
    slow.sessions.stop("tab")
    rest = list(run)
    assert rest[-1].status[0] == "stopped"
    assert rest[-1].panels["duel"]["a"]["state"] == "stopped"


def test_stop_while_another_tab_has_the_turn_leaves_no_picture_that_says_refining(slow):
    slow.want("tab", SLOW)
    assert slow.glance("tab", SLOW)["duel"]["a"]["state"] == "coarse"
    with slow.turns.joined():
        run = slow.go_on("tab", SLOW)
        assert next(run).status[0] == "waiting"
        slow.sessions.stop("tab")
        rest = list(run)
    assert [update.status[0] for update in rest] == ["stopped"]
    assert rest[0].panels["duel"]["a"]["state"] == "stopped"


def test_no_glance_before_the_model_is_loaded(handlers):
    assert handlers.glance("tab", SLOW) == {}
    assert not handlers.host.loaded("tiny")

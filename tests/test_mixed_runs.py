"""Runs that do not belong together stand neither side by side under "one x_T" nor in one file."""

import pytest
from test_views import final, values

from core import files
from core.record import read_record
from demo import exports, runs
from demo.handlers import Handlers
from demo.host import EngineHost
from demo.settings import Lane

LANES = (Lane(2, 0.0), Lane(3, 0.0), Lane(6, 1.0))
SECOND_MS = 1000.0  # at so many ms an evaluation the first two runners answer at once, and the third asks


@pytest.fixture
def handlers(tiny_folder, tmp_path):
    for name in ("tiny", "other"):
        (tmp_path / name).symlink_to(tiny_folder, target_is_directory=True)
    made = Handlers(EngineHost(tmp_path, device="cpu"))
    for name in ("tiny", "other"):
        made.host.engine(name)  # so that no first status is "Loading"
    return made


def run(handlers, **changes):
    """Panels and the last update of a run that may take as long as it wants."""
    sent = values(**changes)
    handlers.want("tab", sent)
    return final(handlers.go_on("tab", sent))


def seeds(panel):
    """Of every runner or player in sight."""
    return [value and value["seeds"] for value in (panel["lanes"] if "lanes" in panel else panel.values())]


@pytest.mark.parametrize("changed", [{"seed": 4}, {"checkpoint": "other"}])
def test_a_runner_of_another_x_T_leaves_the_race_when_the_first_new_one_is_shown(handlers, monkeypatch, changed):
    run(handlers, view="compare", lanes=LANES)
    monkeypatch.setattr(handlers.host, "expected_ms", lambda name, batch: SECOND_MS)
    sent = values(view="compare", lanes=LANES, **changed)
    handlers.want("tab", sent)
    updates = list(handlers.run("tab", sent))
    assert updates[-1].ask
    races = [u.panels["race"] for u in updates if "race" in u.panels]
    now = [changed.get("seed", 3)]
    assert seeds(races[0]) == [now, None, None]
    assert seeds(races[-1]) == [now, now, None]
    with pytest.raises(ValueError, match="wait until"):
        handlers.export("tab", "race-gif")
    shown, _ = final(handlers.go_on("tab", sent))
    assert seeds(shown["race"]) == [now] * 3
    record = read_record(handlers.export("tab", "race-gif"))
    assert [r["request"]["seeds"] for r in record["runs"]] == [now] * 3


def test_a_player_of_another_x_T_leaves_the_duel_when_the_new_one_is_stopped(handlers):
    run(handlers)
    sent = values(seed=4)
    handlers.want("tab", sent)
    going = handlers.run("tab", sent)
    duel = next(u.panels["duel"] for u in going if "duel" in u.panels)
    handlers.sessions.stop("tab")
    shown, last = final(going)
    assert last.status[0] == "stopped"
    assert seeds(shown.get("duel", duel)) == [[4], None]
    with pytest.raises(ValueError, match="wait until"):
        handlers.export("tab", "b-gif")


def test_what_is_in_sight_stays_until_something_new_is_shown(handlers, monkeypatch):
    run(handlers, view="compare", lanes=LANES)
    before = dict(handlers.sessions.get("tab").finished)
    monkeypatch.setattr(handlers.host, "expected_ms", lambda name, batch: 1e5)
    sent = values(view="compare", lanes=LANES, seed=4)
    handlers.want("tab", sent)
    updates = list(handlers.run("tab", sent))
    assert updates[-1].ask
    assert not any("race" in u.panels for u in updates)
    assert read_record(handlers.export("tab", "race-gif"))["runs"][2]["request"]["seeds"] == [3]
    shown, _ = run(handlers, view="compare", lanes=LANES)
    assert seeds(shown["race"]) == [[3]] * 3
    assert handlers.sessions.get("tab").finished == before  # and nothing ran again


def test_a_runner_of_the_same_x_T_stays_in_sight_but_in_no_file(handlers, monkeypatch):
    run(handlers, view="compare", lanes=LANES)
    monkeypatch.setattr(handlers.host, "expected_ms", lambda name, batch: SECOND_MS)
    sent = values(view="compare", lanes=(Lane(4, 0.0), LANES[1], Lane(7, 1.0)))
    handlers.want("tab", sent)
    shown, last = final(handlers.run("tab", sent))
    assert last.ask
    assert [lane["steps"] for lane in shown["race"]["lanes"]] == [4, 3, 6]
    with pytest.raises(ValueError, match=r"Runner C .* wait until"):
        handlers.export("tab", "race-gif")


@pytest.mark.parametrize(
    ("kind", "view", "name", "other"),
    [("race-gif", "compare", "lane1", {"seed": 4}), ("race-gif", "compare", "lane1", {"checkpoint": "other"}),
     ("grid-png", "grid", "cell 3 0", {"seed": 4}), ("grid-png", "grid", "cell 3 0", {"checkpoint": "other"}),
     ("grid-png", "grid", "cell 3 0", {"spacing": "trailing"})],
)  # fmt: skip
def test_no_file_holds_runs_that_differ_in_more_than_it_says(handlers, tmp_path, kind, view, name, other):
    page = {"view": view, "lanes": LANES, "grid_steps": (2, 3), "grid_etas": (0.0, 1.0)}
    run(handlers, **page)
    finished, wanted = dict(handlers.sessions.get("tab").finished), handlers.settings(values(**page))
    assert exports.write(kind, finished, tmp_path / "out", wanted).is_file()
    run(handlers, **page | other)
    finished[name] = handlers.sessions.get("tab").finished[name]
    with pytest.raises(ValueError, match=r"differ in .* wait until") as refused:
        exports.write(kind, finished, tmp_path / "out", wanted)
    assert "\n" not in str(refused.value)


def test_a_grids_legend_names_the_seed_of_its_pictures_and_not_the_wanted_one(handlers, monkeypatch):
    notes, draw = [], files.legend_sheet
    monkeypatch.setattr(files, "legend_sheet", lambda *args: notes.append(args[-1]) or draw(*args))
    grid = {"view": "grid", "grid_steps": (2, 3), "grid_etas": (0.0, 1.0)}
    run(handlers, **grid)
    sent = values(**grid, seed=9, spacing="trailing", checkpoint="other")
    handlers.want("tab", sent)
    with handlers.turns.joined():
        waiting = handlers.run("tab", sent)
        assert next(waiting).status[0] == "waiting"
        record = read_record(handlers.export("tab", "grid-png"))
    assert {tuple(r["request"]["seeds"]) for r in record["runs"]} == {(3,)}
    assert notes[0].startswith("tiny, seed 3, leading; ")


def after(updates, name):
    """Drive a run until a job's result is there."""
    for update in updates:
        panel = update.panels.get("duel", {}).get(name) if name in "ab" else update.panels.get(name)
        if panel and panel["state"] == "done":
            return


def test_run_again_ends_the_run_that_is_going_and_runs_every_panel(handlers):
    sent = values()
    handlers.want("tab", sent)
    going = handlers.run("tab", sent)
    after(going, "b")
    before = dict(handlers.sessions.get("tab").finished)
    assert set(before) == {"a", "b"}
    again = handlers.run_anew("tab", sent)
    assert next(again).status[0] == "waiting"  # for the old run, which ends within a step
    assert list(going)[-1].status[0] == "stopped"
    assert list(again)[-1].status[0] == "done"
    finished = handlers.sessions.get("tab").finished
    assert set(finished) == {"a", "b", "samples", "strip"}
    assert not any(finished[name] is before[name] for name in before)
    assert handlers.export("tab", "a-gif").endswith("trajectory-a.gif")


def test_a_result_that_comes_too_late_does_not_pass_for_one_of_the_new_run(handlers, monkeypatch):
    """Run again is pressed in the samples' last step, after they looked whether they are still wanted."""
    sent, ran, again = values(), [], []
    handlers.want("tab", sent)
    run_job = runs.run_job

    def pressed(engine, job, over, ddpm_s):
        for now in run_job(engine, job, over, ddpm_s):
            if now and now.timing and job.name == "samples" and not again:
                again.append(handlers.run_anew("tab", sent))
                assert next(again[0]).status[0] == "waiting"
            yield now
        ran.append(job.name)

    monkeypatch.setattr(runs, "run_job", pressed)
    list(handlers.run("tab", sent))
    assert list(again[0])[-1].status[0] == "done"
    assert ran == ["a", "b", "samples", "a", "b", "samples", "strip"]

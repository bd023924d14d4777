"""The page's own logic, without a browser: settings, sessions, estimates, views and the request path."""

import ast
import math
from pathlib import Path

import pytest

from demo import views
from demo.compute import ClosingError
from demo.handlers import Handlers
from demo.host import EngineHost
from demo.sessions import Sessions
from demo.settings import PageSettings, log_stops, page_settings

ROOT = Path(__file__).resolve().parents[1]
GOOD = ("tiny", 4, 0.0, 3, 4, 8, "leading", 3, 1.0)


@pytest.fixture
def handlers(tiny_folder, tmp_path):
    (tmp_path / "tiny").symlink_to(tiny_folder, target_is_directory=True)
    return Handlers(EngineHost(tmp_path, device="cpu"))


@pytest.mark.parametrize("T", [1, 7, 50, 100, 1000, 4000])
def test_slider_stops_rise_from_1_to_T(T):
    stops = log_stops(T)
    assert (stops[0], stops[-1]) == (1, T)
    assert stops == sorted(set(stops))


def test_useful_step_counts_take_a_third_of_the_slider():
    stops = log_stops(1000)
    assert sum(5 <= s <= 50 for s in stops) / len(stops) > 0.33


@pytest.mark.parametrize(
    ("place", "value", "word"),
    [(1, 0, "Steps"), (1, 1001, "Steps"), (1, 2.5, "Steps"), (1, None, "Steps"), (2, 1.1, "η"), (2, None, "η"),
     (3, -1, "seed"), (4, 0, "pictures"), (5, None, "second seed"), (7, 0, "Steps of B"), (8, -0.1, "η of B")],
)  # fmt: skip
def test_bad_values_are_named(place, value, word):
    values = list(GOOD)
    values[place] = value
    with pytest.raises(ValueError, match=word):
        page_settings(1000, *values)


def test_a_run_is_stale_only_when_other_settings_are_wanted():
    sessions, old = Sessions(), PageSettings("tiny", steps=4)
    new = PageSettings("tiny", steps=5)
    ticket = sessions.ticket("tab", old)
    sessions.want("tab", old)  # its own announcement, arriving late
    assert not ticket.over
    sessions.want("other tab", new)
    assert not ticket.over
    sessions.want("tab", new)
    assert ticket.stale
    assert not ticket.stopped


def test_stop_and_a_closed_tab_end_a_run_but_not_the_next():
    sessions, page = Sessions(), PageSettings("tiny")
    ticket = sessions.ticket("tab", page)
    sessions.stop("tab")
    assert ticket.stopped
    again = sessions.ticket("tab", page)
    assert not again.over
    sessions.forget("tab")
    assert again.stopped


def test_a_run_fills_every_panel_with_measured_figures(handlers):
    updates = list(handlers.run("tab", GOOD))
    assert updates[-1].status[0] == "done"
    panels = {}
    for update in updates:
        panels |= update.panels
    assert panels["samples"]["n"] == 4
    assert panels["strip"]["n"] == 11
    assert (panels["duel"]["a"]["steps"], panels["duel"]["b"]["steps"]) == (4, 3)
    assert panels["duel"]["a"]["t"] == [750, 500, 250, 0, -1]
    for value in (panels["samples"], panels["strip"], panels["duel"]["a"], panels["duel"]["b"]):
        assert value["state"] == "done"
        assert value["weights"] == handlers.host.engine("tiny").checkpoint.sha256[:8]
        assert [row[2] for row in value["readout"][:3]] == ["measured"] * 3


def test_only_what_changed_runs_again(handlers):
    list(handlers.run("tab", GOOD))
    before = dict(handlers.sessions.get("tab").finished)
    list(handlers.run("tab", (*GOOD[:7], 2, 1.0)))  # steps of B alone
    after = handlers.sessions.get("tab").finished
    assert {name for name in after if after[name] is not before[name]} == {"b"}


def test_run_again_measures_every_panel_again(handlers):
    list(handlers.run("tab", GOOD))
    before = dict(handlers.sessions.get("tab").finished)
    assert list(handlers.run_anew("tab", GOOD))[-1].status[0] == "done"
    after = handlers.sessions.get("tab").finished
    assert set(after) == set(before) == {"a", "b", "samples", "strip"}
    assert not any(after[name] is before[name] for name in after)


def test_stop_is_obeyed_within_a_step(handlers, monkeypatch):
    handlers.host.engine("tiny")
    monkeypatch.setattr(handlers.host, "expected_ms", lambda name, batch: 0.0)
    run = handlers.run("tab", ("tiny", 1000, 0.0, 3, 4, 8, "leading", 3, 1.0))
    next(run)
    next(run)  # the first preview
    handlers.sessions.stop("tab")
    rest = list(run)
    assert [u.status[0] for u in rest] == ["stopped"]
    assert rest[0].panels["duel"]["a"]["state"] == "stopped"
    assert handlers.sessions.get("tab").finished == {}


def test_after_stop_a_late_repetition_does_not_start_the_run_again(handlers):
    handlers.want("tab", GOOD)
    run = handlers.run("tab", GOOD)
    next(run)
    handlers.sessions.stop("tab")
    assert list(run)[-1].status[0] == "stopped"
    handlers.want("tab", GOOD)
    assert [u.status for u in handlers.run("tab", GOOD)] == [("stopped", "Stopped.")]  # the held-back change
    assert list(handlers.go_on("tab", GOOD))[-1].status[0] == "done"  # a button is meant
    handlers.sessions.stop("tab")
    other = ("tiny", 5, *GOOD[2:])
    for values in (other, GOOD):  # settings that were left and chosen again are meant, too
        handlers.want("tab", values)
        assert list(handlers.run("tab", values))[-1].status[0] == "done"
    handlers.want("tab", ("tiny", -1, *GOOD[2:]))  # a mistake, taken back
    handlers.want("tab", GOOD)
    assert list(handlers.run("tab", GOOD))[-1].status[0] == "done"


def test_the_word_to_go_on_may_come_before_the_question_has_ended(handlers, monkeypatch):
    monkeypatch.setattr(handlers.host, "expected_ms", lambda name, batch: 1e5)
    asking = handlers.run("tab", GOOD)
    assert next(u for u in asking if u.ask)
    assert list(handlers.run("tab", GOOD, ask_above_s=math.inf))[-1].status[0] == "done"
    asking.close()


def test_a_second_opening_of_the_same_settings_lends_its_patience(handlers, monkeypatch):
    monkeypatch.setattr(handlers.host, "expected_ms", lambda name, batch: 1e5)
    first = handlers.run("tab", GOOD)
    next(first)
    assert list(handlers.run("tab", GOOD, ask_above_s=math.inf)) == []
    assert list(first)[-1].status[0] == "done"


def test_a_long_run_asks_first_and_shows_one_picture(handlers, monkeypatch):
    handlers.host.engine("tiny")
    monkeypatch.setattr(handlers.host, "expected_ms", lambda name, batch: 2000.0 if batch > 1 else 1.0)
    updates = list(handlers.run("tab", GOOD))
    assert updates[-1].ask
    assert "estimated" in updates[-1].status[1]
    assert {"a", "b"} == set(handlers.sessions.get("tab").finished)
    samples = [u.panels["samples"] for u in updates if "samples" in u.panels][-1]
    assert (samples["n"], samples["state"]) == (1, "preview")
    assert list(handlers.run("tab", GOOD, ask_above_s=math.inf))[-1].status[0] == "done"


def test_speed_up_is_measured_once_ddpm_was_run_here(handlers):
    list(handlers.run("tab", GOOD))
    ddpm = (*GOOD[:7], 1000, 1.0)
    list(handlers.run("tab", ddpm, ask_above_s=math.inf))
    updates = list(handlers.run("tab", ("tiny", 5, *GOOD[2:7], 1000, 1.0)))
    a = [u.panels["duel"]["a"] for u in updates if "duel" in u.panels][-1]
    assert a["readout"][3][2] == "measured"


def test_errors_are_one_sentence_and_lose_nothing(handlers):
    list(handlers.run("tab", GOOD))
    kept = dict(handlers.sessions.get("tab").finished)
    for values in (("nowhere", *GOOD[1:]), ("tiny", 0, *GOOD[2:])):
        updates = list(handlers.run("tab", values))
        assert [u.status[0] for u in updates] == ["error"]
        assert "\n" not in updates[0].status[1]
    assert handlers.sessions.get("tab").finished == kept


def test_an_export_before_any_run_says_to_wait(handlers):
    with pytest.raises(ValueError, match="wait"):
        handlers.export("tab", "strip-gif")


def test_files_of_a_closed_tab_are_removed(handlers):
    list(handlers.run("tab", GOOD))
    paths = [Path(handlers.export("tab", kind)) for kind in ("strip-gif", "strip-webp", "a-gif", "samples-png")]
    assert all(path.stat().st_size > 0 for path in paths)
    handlers.forget("tab")
    assert not any(path.exists() for path in paths)


def test_both_folder_layouts_are_listed_and_other_folders_are_not(tiny_folder, tmp_path):
    (tmp_path / "flat").symlink_to(tiny_folder, target_is_directory=True)
    for part, file in (("unet", "config.json"), ("scheduler", "scheduler_config.json")):
        (tmp_path / "sub" / part).mkdir(parents=True)
        (tmp_path / "sub" / part / file).write_bytes((tiny_folder / file).read_bytes())
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "config.json").write_text("{}")
    host = EngineHost(tmp_path)
    assert host.names() == ["flat", "sub"]
    assert host.training_steps("sub") == 1000
    assert EngineHost(tmp_path / "missing").names() == []


def test_a_broken_checkpoint_becomes_a_sentence_in_the_page(tiny_folder, tmp_path):
    (tmp_path / "broken").mkdir()
    for file in ("config.json", "scheduler_config.json"):
        (tmp_path / "broken" / file).write_bytes((tiny_folder / file).read_bytes())
    updates = list(Handlers(EngineHost(tmp_path, device="cpu")).run("tab", ("broken", *GOOD[1:])))
    assert updates[-1].status[0] == "error"
    assert "safetensors is missing" in updates[-1].status[1]


def test_views_say_how_a_figure_is_known():
    assert views.speed_up(2.0, 20, 1000, None) == ("50.0×", "estimated")
    assert views.speed_up(2.0, 20, 1000, 90.0) == ("45.0×", "measured")
    assert views.seconds(0.0421) == "42 ms"
    assert views.seconds(1.234) == "1.23 s"
    assert views.seconds(300) == "5.0 min"


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


def test_gradio_stays_in_the_page_and_torch_out_of_the_views():
    for path in (ROOT / "core").rglob("*.py"):
        assert "gradio" not in set(imports(path)), path
        assert "demo" not in set(imports(path)), path
    for name in ("views", "settings", "sessions", "pictures", "page", "panels"):
        assert "torch" not in set(imports(ROOT / "demo" / f"{name}.py")), name


@pytest.mark.parametrize("key", ["..", ".", "", "/abs", "../other"])
def test_a_session_key_is_never_a_path(handlers, key):
    inside = handlers._files.resolve()
    keep = inside / "other tab's file"
    keep.write_text("kept")
    beside = inside.parent / f"{inside.name}-beside"
    beside.write_text("kept")
    list(handlers.run(key, GOOD))
    path = Path(handlers.export(key, "samples-png")).resolve()
    assert path.parent.parent == inside
    handlers.forget(key)
    assert not path.exists()
    assert keep.exists()
    assert beside.exists()
    beside.unlink()


def test_a_tab_that_comes_back_does_not_revive_its_old_run():
    sessions, page = Sessions(), PageSettings("tiny")
    ticket = sessions.ticket("tab", page)
    sessions.forget("tab")
    sessions.want("tab", page)
    assert ticket.stopped


def test_stop_while_the_model_loads_is_obeyed(handlers, monkeypatch):
    load = handlers.host.engine

    def slow(name):
        engine = load(name)
        handlers.sessions.stop("tab")
        return engine

    monkeypatch.setattr(handlers.host, "engine", slow)
    assert [u.status[0] for u in handlers.run("tab", GOOD)] == ["loading", "stopped"]


def test_asking_about_b_alone_keeps_the_samples_on_screen(handlers, monkeypatch):
    list(handlers.run("tab", GOOD))
    monkeypatch.setattr(handlers.host, "expected_ms", lambda name, batch: 10.0)
    updates = list(handlers.run("tab", (*GOOD[:7], 1000, 1.0)))
    assert updates[-1].ask
    samples = [u.panels["samples"] for u in updates if "samples" in u.panels][-1]
    assert (samples["n"], samples["state"]) == (4, "done")


def test_a_panel_shown_again_takes_up_the_measured_ddpm(handlers):
    list(handlers.run("tab", GOOD))
    list(handlers.run("tab", (*GOOD[:7], 1000, 1.0), ask_above_s=math.inf))
    first = next(iter(handlers.run("tab", (*GOOD[:7], 1000, 1.0))))  # everything is finished already
    assert first.panels["duel"]["a"]["readout"][3][2] == "measured"


def test_an_unforeseen_error_ends_as_a_sentence(handlers, monkeypatch, capsys):
    handlers.host.engine("tiny")

    def broken(*_, **__):
        raise MemoryError("no room")

    monkeypatch.setattr("demo.runs.run_job", broken)
    last = list(handlers.run("tab", GOOD))[-1]
    assert last.status[0] == "error"
    assert "\n" not in last.status[1]
    assert "no room" in capsys.readouterr().err  # the whole story goes to the terminal


def test_an_app_that_closes_during_a_run_ends_it_without_a_traceback(handlers, monkeypatch, capsys):
    handlers.host.engine("tiny")

    def closing(*_, **__):
        raise ClosingError

    monkeypatch.setattr("demo.runs.run_job", closing)
    assert list(handlers.run("tab", GOOD))[-1].status == ("error", "The app is closing.")
    assert capsys.readouterr().err == ""

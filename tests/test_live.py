"""The live session without a browser: which wish wins, what comes in which order, what is kept and what is asked."""

import pytest

from demo import words
from demo.compute import ClosingError
from demo.live import MAX_RUNS, Live, Wish
from demo.settings import FIELDS
from tests.wishes import Tab, host_of


@pytest.fixture
def host(tiny_folder, tmp_path):
    return host_of(tmp_path, tiny_folder)


@pytest.fixture
def tab(host):
    return Tab(host)


def states(answer, panel):
    """The states that a panel went through, each once."""
    seen = [m["value"]["state"] for m in answer.messages if m.get("panel") == panel]
    return [state for i, state in enumerate(seen) if i == 0 or state != seen[i - 1]]


def evaluations(host, monkeypatch):
    """Every request that the engine is asked to run, as it comes."""
    engine, asked = host.engine("tiny"), []
    run = engine.run

    def counted(request, *args, **options):
        asked.append(request)
        return run(request, *args, **options)

    monkeypatch.setattr(engine, "run", counted)
    return asked


def test_a_wish_fills_every_panel_with_measured_figures(tab, host):
    answer = tab.want(steps=4, steps_b=3)
    assert answer.status[0] == "done"
    panels = answer.panels
    assert (panels["samples"]["n"], panels["strip"]["n"]) == (4, 11)
    assert (panels["duel"]["a"]["steps"], panels["duel"]["b"]["steps"]) == (4, 3)
    assert panels["duel"]["a"]["t"] == [750, 500, 250, 0, -1]
    for value in (panels["samples"], panels["strip"], panels["duel"]["a"], panels["duel"]["b"]):
        assert value["state"] == "done"
        assert value["weights"] == host.engine("tiny").checkpoint.sha256[:8]
        assert [row[2].partition(",")[0] for row in value["readout"][:3]] == ["measured"] * 3


def test_work_comes_in_the_order_of_the_eye(tab):
    answer = tab.want()
    firsts = {}
    for i, message in enumerate(answer.messages):
        value = message.get("value", {})
        for name in ("a", "b"):
            if message.get("panel") == "duel" and value[name] and value[name]["state"] == "done":
                firsts.setdefault(name, i)
        if message.get("panel") in ("samples", "strip") and value["state"] == "done":
            firsts.setdefault("rest", i)
    assert list(firsts) == ["a", "b", "rest"]


def test_every_picture_that_a_value_names_was_sent_once(tab):
    first = tab.want()
    sent = [key for message in first.messages for key in message.get("pictures", {})]
    assert len(sent) == len(set(sent))
    named = {first.panels["samples"]["tiles"], first.panels["strip"]["tiles"], first.panels["duel"]["a"]["film"]}
    assert named <= set(sent)
    again = tab.want()
    assert again.panels["samples"]["tiles"] == first.panels["samples"]["tiles"]
    assert not any(message.get("pictures") for message in again.messages)


@pytest.mark.parametrize("late", [0, 3, 4])
def test_the_newest_wish_wins_whatever_arrives_when(host, late):
    live = Live(host)
    key = live.want(Wish(None, 4, {"steps": 5}))[0]["session"]
    first, messages = live.want(Wish(key, late, {"steps": 9}))
    assert first["late"]
    assert messages is None
    assert live.sessions.get(key).page.steps == 5


def test_a_newer_wish_ends_a_run_within_a_step_and_without_a_word(tab, monkeypatch):
    monkeypatch.setattr(tab.host.pace, "expected_ms", lambda name, batch: 0.0)
    _, messages = tab.begin(steps=1000)
    for message in messages:
        if message is not None and message.get("status", [""])[0] == "running":
            break
    next(messages)
    tab.begin(steps=2)
    assert [message for message in messages if message is not None] == []


def test_other_tabs_are_left_alone(host):
    live = Live(host)
    one, other = Tab(host, live), Tab(host, live)
    answer, messages = one.begin(steps=50)
    next(messages)
    other.want(steps=2)
    other.stop()
    assert [m for m in messages if m][-1]["status"][0] == "done"
    assert answer.panels["samples"]["steps"] == 50


def test_stop_is_obeyed_within_a_step_and_not_by_what_is_newer(tab, monkeypatch):
    tab.host.engine("tiny")
    monkeypatch.setattr(tab.host.pace, "expected_ms", lambda name, batch: 0.0)
    answer, messages = tab.begin(steps=1000)
    for message in messages:
        value = (message or {}).get("value", {})
        if value.get("a") and value["a"]["state"] == "running":
            break
    tab.stop()
    rest = [message for message in messages if message is not None]
    assert rest[-1]["status"] == ["stopped", "Stopped."]
    assert answer.panels["duel"]["a"]["state"] == "stopped"
    assert tab.session.last == {}
    tab.live.stop(tab.key, tab.seq)  # once more, too late
    assert tab.want(steps=3).status[0] == "done"


def test_a_closed_tab_ends_its_run_and_what_it_had_is_gone(tab):
    answer = tab.want()
    file = answer.panels["samples"]["files"][0]["href"].split("/")
    assert tab.live.sessions.get(file[2]).file(file[3], file[4]) is not None
    _, messages = tab.begin(steps=30)
    next(messages)
    tab.live.leave(tab.key)
    assert [message for message in messages if message is not None] == []
    assert tab.live.sessions.get(tab.key) is None
    assert tab.want(steps=3).first["session"] != file[2]


def test_only_what_changed_runs_again(tab, host, monkeypatch):
    tab.want()
    asked = evaluations(host, monkeypatch)
    tab.want(steps_b=3)
    assert [(request.settings.steps, request.settings.eta) for request in asked] == [(3, 1.0)]


def test_what_was_computed_is_there_for_every_tab_and_says_that_it_was(host, monkeypatch):
    live = Live(host)
    first = Tab(host, live).want()
    asked = evaluations(host, monkeypatch)
    again = Tab(host, live).want()
    assert asked == []
    assert again.panels["samples"]["cached"]
    assert not first.panels["samples"]["cached"]
    assert again.panels["samples"]["readout"] == first.panels["samples"]["readout"]


def test_run_again_measures_every_panel_again(tab, host, monkeypatch):
    tab.want()
    before = dict(tab.session.last)
    asked = evaluations(host, monkeypatch)
    assert tab.want(anew=True).status[0] == "done"
    assert {request.frames for request in asked} == {None, 11}
    assert not any(tab.session.last[name] is before[name] for name in before)


def test_pictures_of_one_S_are_computed_once_where_a_batch_does_not_change_them(tab, host, monkeypatch):
    monkeypatch.setattr("demo.tiles.SAME_AT_ANY_BATCH", ("torch",))
    asked = evaluations(host, monkeypatch)
    answer = tab.want(count=8)
    films, together = asked[:2], asked[2:]
    assert [request.count for request in films] == [1, 1]
    assert [request.count for request in together] == [
        7 + 9
    ]  # of 8 samples and 11 of the strip: A's own, and both ends
    samples, strip = tab.session.last["samples"].pixels, tab.session.last["strip"].pixels
    assert (samples[0] == tab.session.last["a"].pixels[0]).all()
    assert (strip[0] == samples[0]).all()
    assert (strip[-1] == samples[5]).all()
    assert "16 pictures made together" in answer.panels["samples"]["readout"][0][2]


def test_with_noise_no_picture_is_taken_from_another_run(tab, host, monkeypatch):
    monkeypatch.setattr("demo.tiles.SAME_AT_ANY_BATCH", ("torch",))
    asked = evaluations(host, monkeypatch)
    tab.want(eta=0.5)
    assert [request.count for request in asked] == [1, 1, 4, 11]


def test_tiles_fill_as_they_come(tab, host, monkeypatch):
    monkeypatch.setattr("demo.computing.PREVIEW_EVERY_S", 0.0)
    monkeypatch.setattr("demo.computing.PREVIEW_SHARE", 1e9)
    answer = tab.want(count=16, steps=4)
    filled = [m["value"]["filled"] for m in answer.messages if m.get("panel") == "samples"]
    assert [1] * 8 + [0] * 8 in filled
    assert [2] * 8 + [1] * 8 in filled
    assert filled[-1] == [2] * 16


def test_a_change_is_answered_at_few_steps_where_the_run_takes_longer(tab, host, monkeypatch):
    host.engine("tiny")
    monkeypatch.setattr(host.pace, "expected_ms", lambda name, batch: 10.0)
    answer = tab.want(steps=40)
    looks = [m["value"]["a"] for m in answer.messages if m.get("panel") == "duel" and m["value"]["a"]]
    assert (looks[0]["state"], looks[0]["steps"]) == ("coarse", 5)
    assert looks[-1]["state"] == "done"
    assert tab.session.last["a"].job.request.settings.steps == 40  # a look is never taken for a result


def test_no_look_where_it_would_be_no_sooner(tab, host, monkeypatch):
    host.engine("tiny")
    monkeypatch.setattr(host.pace, "expected_ms", lambda name, batch: 1.0)
    assert "coarse" not in [m["value"]["a"]["state"] for m in tab.want(steps=40).messages
                            if m.get("panel") == "duel" and m["value"]["a"]]  # fmt: skip


def test_what_is_of_earlier_settings_says_from_what_it_is_until_the_new_is_there(tab):
    tab.want(steps=3)
    answer = tab.want(steps=7)
    first = next(m["value"] for m in answer.messages if m.get("panel") == "samples")
    assert (first["state"], first["steps"]) == ("stale", 3)
    assert states(answer, "samples")[-1] == "done"
    assert answer.panels["samples"]["steps"] == 7


def test_files_belong_to_the_run_that_is_on_screen(tab):
    before = tab.want(steps=3)
    answer, messages = tab.begin(steps=7)
    for message in messages:
        if (message or {}).get("panel") == "samples":
            break
    assert [link["name"] for link in answer.panels["samples"]["files"]] == [
        link["name"] for link in before.panels["samples"]["files"]
    ]
    for _ in messages:
        pass
    assert "S7" in answer.panels["samples"]["files"][0]["name"]


def test_above_a_minute_it_asks_in_the_panel_and_runs_when_told(tab, host, monkeypatch):
    host.engine("tiny")
    monkeypatch.setattr(host.pace, "expected_ms", lambda name, batch: 3000.0 if batch > 1 else 1.0)
    monkeypatch.setattr(host.pace, "measured", lambda name, batch, ms: None)
    answer = tab.want(start=False, steps=20)
    assert answer.status[0] == "asked"
    assert answer.panels["samples"]["state"] == "asked"
    assert answer.panels["samples"]["ask"].startswith("≈ ")
    assert (answer.panels["duel"]["a"]["state"], answer.panels["duel"]["b"]["state"]) == ("done", "done")
    started = tab.want(start=True)
    assert started.status[0] == "done"
    assert "ask" not in started.panels["samples"]


def test_below_a_minute_nothing_is_asked(tab, host, monkeypatch):
    host.engine("tiny")
    monkeypatch.setattr(host.pace, "expected_ms", lambda name, batch: 80.0)
    assert tab.want(start=False, steps=20).status[0] == "done"


def test_speed_up_is_measured_once_ddpm_was_run_here(tab):
    assert tab.want().panels["duel"]["a"]["readout"][3][2] == "estimated"
    tab.want(steps_b=1000, eta_b=1.0)
    assert tab.want(steps=5).panels["duel"]["a"]["readout"][3][2] == "measured"


def test_what_cannot_be_run_becomes_what_can_and_the_browser_hears_of_it(tab):
    answer = tab.want(steps=-5, eta=2, seed=1.5, count="abc", view="nowhere", checkpoint="elsewhere")
    first = answer.first
    assert {name: first["settings"][name] for name in ("steps", "eta", "seed", "count", "view", "checkpoint")} == {
        "steps": 1, "eta": 1.0, "seed": 1, "count": 16, "view": "explore", "checkpoint": "tiny",
    }  # fmt: skip
    assert len(first["said"]) == 6
    assert answer.status[0] == "done"


def test_an_address_sets_everything_and_what_it_leaves_out_is_the_default(tab):
    tab.want(steps=9, seed=77)
    first = tab.want(query="?steps=5&eta=0.5&utm_source=x").first
    assert (first["settings"]["steps"], first["settings"]["eta"]) == (5, 0.5)
    assert first["settings"]["seed"] == FIELDS["seed"].default
    assert first["said"] == []
    assert "steps=5" in first["query"]


def test_stop_while_the_model_loads_is_obeyed(tab):
    _, messages = tab.begin()
    assert next(messages)["status"][0] == "loading"
    tab.stop()
    assert [message["status"][0] for message in messages if message] == ["stopped"]
    assert not tab.host.loaded("tiny")
    assert tab.want().status[0] == "done"


def test_a_model_is_loaded_in_pieces_between_which_others_go_on_and_which_anybody_may_take_up(host):
    live = Live(host)
    one, other = Tab(host, live), Tab(host, live)
    _, first = one.begin()
    next(first)
    next(first)  # the first piece
    other.want()  # the rest of them, and its own run
    live.leave(one.key)
    assert [message for message in first if message] == []
    assert other.want().status[0] == "done"


def test_a_session_that_was_left_is_not_revived_by_a_late_wish(tab):
    tab.want()
    old = tab.key
    tab.live.leave(old)
    assert tab.want().first["session"] != old
    assert tab.live.sessions.get(old) is None


def test_a_broken_checkpoint_is_a_sentence_and_loses_nothing(tiny_folder, tmp_path):
    broken = tmp_path / "other" / "broken"
    broken.mkdir(parents=True)
    for file in ("config.json", "scheduler_config.json"):
        (broken / file).write_bytes((tiny_folder / file).read_bytes())
    (tmp_path / "all").mkdir()
    tab = Tab(host_of(tmp_path / "all", tiny_folder, broken))
    kept = tab.want(checkpoint="tiny")
    answer = tab.want(checkpoint="broken")
    assert answer.status[0] == "error"
    assert "safetensors is missing" in answer.status[1]
    assert set(tab.session.last) == {"a", "b", "samples", "strip"}
    again = tab.want(checkpoint="tiny")
    assert again.panels["samples"]["tiles"] == kept.panels["samples"]["tiles"]


def test_an_unforeseen_error_ends_as_a_sentence(tab, monkeypatch, capsys):
    def broken(*_, **__):
        raise ZeroDivisionError("no room")

    monkeypatch.setattr("demo.computing.run_film", broken)
    state, sentence = tab.want().status
    assert state == "error"
    assert "\n" not in sentence
    assert "no room" in capsys.readouterr().err  # the whole story goes to the terminal


def test_an_app_that_closes_during_a_run_ends_it_without_a_traceback(tab, monkeypatch, capsys):
    def closing(*_, **__):
        raise ClosingError

    monkeypatch.setattr("demo.computing.run_film", closing)
    assert tab.want().status == ("error", "The app is closing.")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("body", [None, [], "x", {}, {"seq": -1}, {"seq": True}, {"seq": "3"}, {"seq": 2**60}])
def test_a_message_that_is_none_is_refused(body):
    with pytest.raises(ValueError, match="message"):
        Wish.read(body)


def test_odd_parts_of_a_message_are_passed_over():
    wish = Wish.read({"seq": 1, "session": 7, "settings": [1], "have": ["a", 3], "query": {}, "anew": "yes"})
    assert wish == Wish(None, 1, {}, None, False, False, frozenset({"a"}))


def test_one_run_too_many_is_refused_in_a_sentence_and_the_next_is_served(tab, host, monkeypatch):
    monkeypatch.setattr(host.compute, "playing", MAX_RUNS)
    answer = tab.want()
    assert answer.messages == [{"status": ["error", words.CROWDED]}]
    monkeypatch.setattr(host.compute, "playing", MAX_RUNS - 1)
    assert tab.want().status[0] == "done"

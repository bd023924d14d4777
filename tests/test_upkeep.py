"""What nobody uses leaves memory though nobody comes (demo/upkeep.py), and Gradio's sessions are few."""

import asyncio
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.state_holder import SessionState

from demo.gradio_sessions import MOST, GradioSessions, forget_read
from demo.host import IDLE_S
from demo.live import Live
from demo.upkeep import keep_up
from tests.loops import run_apart
from tests.wishes import host_of


@pytest.fixture
def page():
    with gr.Blocks() as page:
        box = gr.Textbox(value="first")
        gr.HTML("<b>words</b>")
    page.box = box._id
    return page


def test_silent_tabs_and_idle_engines_go_by_themselves(tiny_folder, tmp_path):
    host = host_of(tmp_path, tiny_folder)
    (tmp_path / "other").symlink_to(tiny_folder, target_is_directory=True)
    host.now = 0.0
    host.clock = lambda: host.now
    live = Live(host)
    live.sessions.clock = host.clock
    for name in ("tiny", "other"):
        host.engine(name)
        host.now += 1
    session = live.sessions.new()
    host.now += max(IDLE_S, live.sessions.expires_s) + 1
    queue = SimpleNamespace(pending_event_ids_session={"read": set()}, pending_messages_per_session={},
                            event_ids_to_events={})  # fmt: skip
    app = SimpleNamespace(get_blocks=lambda: SimpleNamespace(_queue=queue))

    async def a_while():
        task = asyncio.create_task(keep_up(app, live, every_s=0.01))
        for _ in range(500):
            await asyncio.sleep(0.01)
            if not host.loaded("tiny"):
                break
        task.cancel()

    run_apart(a_while())
    assert (len(live.sessions), session.gone) == (0, True)
    assert not host.loaded("tiny")
    assert host.loaded("other")  # the last that was used: whoever comes next finds it
    assert queue.pending_event_ids_session == {}


def test_a_session_is_what_gradio_makes_it_and_its_own(page):
    sessions, plain = GradioSessions(page), SessionState(page)
    one, other = sessions["one"], sessions["other"]
    assert vars(one).keys() == vars(plain).keys()  # a new Gradio may have more in it
    assert one.config_values == plain.config_values
    one._update_value_in_config(page.box, "mine")
    assert one.config_values[page.box]["props"]["value"] == "mine"
    assert other.config_values[page.box]["props"]["value"] == "first"
    assert sessions["third"].config_values[page.box]["props"]["value"] == "first"
    assert one.state_data is not other.state_data
    assert one.blocks_config is not other.blocks_config
    assert sessions["one"] is one


def test_few_sessions_are_kept_the_longest_unused_goes(page):
    sessions = GradioSessions(page)
    first = sessions["0"]
    for i in range(1, MOST):
        sessions[str(i)]
    assert sessions["0"] is first
    for i in range(MOST, MOST + 10):
        sessions[str(i)]
    assert len(sessions.session_data) == len(sessions.time_last_used) == MOST
    assert "0" in sessions
    assert "1" not in sessions


def test_gradio_forgets_the_calls_whose_answers_were_read_or_dropped():
    queue = SimpleNamespace(
        pending_event_ids_session={"read": set(), "waits": {"a"}, "unread": {"b"}, "dropped": {"c"}},
        pending_messages_per_session={"unread": [], "read": []},
        event_ids_to_events={"a": object()},
    )
    forget_read(queue)
    assert queue.pending_event_ids_session == {"waits": {"a"}, "unread": {"b"}}

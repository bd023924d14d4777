"""Gradio's sessions, made cheaply and few of them kept.

Each call of the API that brings no session of its own begins one, and Gradio keeps ten thousand for good. For each it
works out the whole page's configuration anew: 5 ms, and 0.3 MB with this page's scripts and styles. Here that is done
once, and a session has copies of what may change in it.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from gradio.state_holder import SessionState, StateHolder

if TYPE_CHECKING:
    from gradio.blocks import Blocks
    from gradio.queueing import Queue

MOST = 256  # above the calls that run at once; a page that comes back finds a new one, and keeps nothing in it


class GradioSessions(StateHolder):
    """In place of the app's own."""

    def __init__(self, blocks: Blocks) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.set_blocks(blocks)
        self.capacity = MOST
        self._first = SessionState(blocks)

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = self._copied()
        return super().__getitem__(session_id)

    def _copied(self) -> SessionState:
        made, first = copy(self._first), self._first
        made.blocks_config = copy(first.blocks_config)
        made.config_values = {key: _copied(value) for key, value in first.config_values.items()}
        made.state_data, made._state_ttl = {}, {}
        return made


def _copied(value: dict[str, Any]) -> dict[str, Any]:
    """A block's configuration, of which Gradio changes the value among its props."""
    return {**value, "props": dict(value["props"])} if "props" in value else dict(value)


def forget_read(queue: Queue) -> None:
    """Gradio's queue has, for good, a set of the calls of each session whose answers are not read yet: here those go
    that are empty, and those whose answers it has dropped itself. On the event loop."""
    kept = queue.pending_messages_per_session
    for session, events in list(queue.pending_event_ids_session.items()):
        if not events or (session not in kept and not events & queue.event_ids_to_events.keys()):
            del queue.pending_event_ids_session[session]

"""Who reads the answer of a queued call: one connection at a time, and whoever comes too late is told so.

Gradio (6.31) keeps the messages of a session in one queue, from which each of its readers takes what it finds. Of two
that read at once one takes the end of the call, and the other waits for it for ever. So a second one is refused, be it
for another call of the same session; and so is one that comes when the end was read, or after a reader who left, for
with that the call ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from demo.refused import Refused

NONE = Refused(404, "No answer waits under this id: make the call anew.")
READ = Refused(410, "An answer goes to one connection, and another reads this one: make the call anew.")


class Answers:
    """The sessions whose answers are being read. On the event loop alone."""

    def __init__(self) -> None:
        self._calls: set[str] = set()  # read at call/NAME/ID
        self._streams: Counter[str] = Counter()  # read at queue/data, as Gradio's page and client do

    def of_call(self, queue: Any, event: str) -> str | Refused:
        """The session that a call's answer is read from, or why there is nothing to read. queue: Gradio's."""
        session = session_of(queue, event)
        if session is None:
            return NONE
        return READ if session in self._calls or self._streams[session] else session

    def of_stream(self, session: str) -> Refused | None:
        """Why a stream of a session must not begin; the page may replace a stream of its own."""
        return READ if session in self._calls else None

    @contextmanager
    def reading_call(self, queue: Any, session: str) -> Iterator[None]:
        """While a call's answer is read."""
        self._calls.add(session)
        try:
            yield
        finally:
            self._calls.discard(session)
            if queue.pending_event_ids_session.get(session):  # it left before the end: nobody would be told of that
                queue.pending_messages_per_session.pop(session, None)
                queue.pending_event_ids_session.pop(session)  # or the session's next answer would wait for this one

    @contextmanager
    def reading_stream(self, session: str) -> Iterator[None]:
        """While a stream is read."""
        self._streams[session] += 1
        try:
            yield
        finally:
            self._streams[session] -= 1
            if not self._streams[session]:
                del self._streams[session]


def session_of(queue: Any, event: str) -> str | None:
    """The session in which a call's answer waits, or None: no call has this id, its answer was fetched, or its reader
    left. (Gradio holds the call itself for a moment after its end was read, and would wait for a second end.)"""
    sessions = queue.pending_event_ids_session
    session = next((key for key, ids in sessions.items() if event in ids), None)
    return session if session in queue.pending_messages_per_session else None

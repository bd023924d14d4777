"""The live session behind the page: one message {seq, settings} for a change, answered by a stream of small messages.

The newest seq of a session wins, whatever arrives when; all else that it had running ends within a step. No web server
here: demo/routes.py speaks HTTP.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from demo import words
from demo.failures import failure
from demo.host import EngineHost
from demo.lengths import of_lengths
from demo.run_log import RunEntry
from demo.sessions import Session, Sessions
from demo.settings import NAMES, corrected

Message = dict[str, Any]
MAX_QUERY = 4000
MAX_RUNS = 128  # changes that are computed side by side; one more is refused in a sentence


class Wish(NamedTuple):
    """What a browser wants. session: its key, if it has one. seq: rises with every message of a tab. settings: by name;
    query: instead of them, of an address that was opened. anew, start, have: as in demo/live_run.py."""

    session: str | None
    seq: int
    settings: Mapping[str, object]
    query: str | None = None
    anew: bool = False
    start: bool = False
    have: frozenset[str] = frozenset()

    @classmethod
    def read(cls, body: object) -> Wish:
        """From a message's JSON. Raises ValueError for one that is none."""
        if not isinstance(body, dict):
            raise ValueError("A message is an object.")
        seq, settings, have, query = (body.get(name) for name in ("seq", "settings", "have", "query"))
        if isinstance(seq, bool) or not isinstance(seq, int) or not 0 <= seq < 2**53:
            raise ValueError("A message needs its number, seq.")
        key = body.get("session")
        ids = frozenset(one for one in have[:400] if isinstance(one, str)) if isinstance(have, list) else frozenset()
        return cls(
            key if isinstance(key, str) else None, seq, settings if isinstance(settings, dict) else {},
            query[:MAX_QUERY] if isinstance(query, str) else None,
            body.get("anew") is True, body.get("start") is True, ids,
        )  # fmt: skip


class Live:
    """All sessions on one host."""

    def __init__(self, host: EngineHost) -> None:
        self.host, self.sessions = host, Sessions()
        self._lock = threading.Lock()

    def want(self, wish: Wish) -> tuple[Message, Generator[Message | None, None, None] | None]:
        """(the first message, what follows). Nothing follows where the session has seen a newer wish already."""
        session = self.sessions.get(wish.session) or self.sessions.new()
        asked = dict(parse_qsl(wish.query.lstrip("?"))) if wish.query is not None else wish.settings
        before = session.page if wish.query is None else None
        page, said = corrected(asked, self.host.names(), self.host.training_steps, before)
        first: Message = {"session": session.key, "seq": wish.seq, "T": self.host.training_steps(page.checkpoint)}
        with self._lock:
            if wish.seq <= session.seq:
                return first | {"late": True}, None
            session.seq, session.page = wish.seq, page
        if self.host.opened_here:
            first["opened"] = self.lengths_of(self.host.opened_here)
        first |= {
            "query": page.query(),
            "settings": changed(asked, page.as_json(), wish.query is not None),
            "said": said,
        }
        if self.host.compute.playing >= MAX_RUNS:
            return first, refused()
        return first, self._run(session, wish)

    def lengths_of(self, names: Iterable[str]) -> Message:
        """What a browser must know of checkpoints that it has not heard of."""
        checkpoints = {name: self.host.training_steps(name) for name in names}
        return {"checkpoints": checkpoints, **of_lengths(checkpoints.values())}

    def open_named(self, text: object) -> Message:
        """A checkpoint that a visitor names, for its browser. Raises CheckpointError."""
        name, notes = self.host.open_named(text if isinstance(text, str) else "")
        return {"name": name, "notes": list(notes), **self.lengths_of([name])}

    def _run(self, session: Session, wish: Wish) -> Generator[Message | None, None, None]:
        """The messages of a wish, until a newer one is there; an error becomes a sentence."""
        from demo.live_run import LiveRun, status  # torch is loaded by now, or is loaded here
        from demo.views import VIEWS

        page = session.page
        assert page is not None
        view = next(view for view in VIEWS if view.name == page.view)

        def superseded() -> bool:
            return session.gone or session.seq != wish.seq

        entry, outcome = RunEntry("page", view.name, page.checkpoint), "stopped"
        run = LiveRun(
            self.host, session, view, page, superseded, lambda: session.stopped_seq >= wish.seq,
            anew=wish.anew, start=wish.start, have=set(wish.have), begun=entry.asked,
        )  # fmt: skip
        try:
            for message in run.messages():
                if superseded():
                    return  # not a word of what is no longer wanted
                outcome = message["status"][0] if message and "status" in message else outcome
                yield message
        except Exception as error:  # the page must not go on saying "Sampling…"
            said = failure(error)
            entry.end(said.outcome, error)
            yield status("error", self.host.told(said.sentence))
        finally:
            entry.end("superseded" if superseded() else "stopped" if outcome in ("loading", "running") else outcome)

    def stop(self, key: object, seq: object) -> None:
        """End what a session has running, unless it is newer than what was stopped."""
        session = self.sessions.get(key)
        if session is not None and isinstance(seq, int):
            session.stopped_seq = max(session.stopped_seq, seq)

    def leave(self, key: object) -> None:
        """A tab is closed."""
        self.sessions.forget(key)

    def play(
        self, messages: Generator[Message | None, None, None], say: Callable[[Message], None],
        end: Callable[[BaseException | None], None],
    ) -> None:  # fmt: skip
        """Have the messages of a wish made on the compute thread."""
        self.host.compute.serve_beside()
        self.host.compute.play(messages, say, end)


def refused() -> Generator[Message, None, None]:
    """The only word of a wish for which there is no room."""
    yield {"status": ["error", words.CROWDED]}


def changed(asked: Mapping[str, object], page: dict[str, Any], opened: bool) -> dict[str, Any]:
    """The settings of which the browser must hear: all of an address, else those that could not be run as asked."""
    return page if opened else {name: page[name] for name in NAMES if name not in asked or asked[name] != page[name]}

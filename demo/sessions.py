"""What each browser tab wants now. A run that is no longer wanted ends itself within a step."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from demo.settings import PageSettings


@dataclass
class Session:
    """wanted: the newest settings a control sent. running: the run that is going or waiting, and patience_s: above
    which estimate it asks before it goes on. stops: how often Stop was pressed, and
    halted: the settings it stopped. finished: job name → ((checkpoint, request),
    what it showed, what an export needs), so that only what changed runs again; "Run again" puts a new dict in its
    place, while a run keeps to the one it began with. ddpm_s: (checkpoint, batch) →
    measured seconds of a full DDPM run in this tab. exact: (checkpoint, seed) → the picture of η = 0 with all T
    steps, H×W×3, where this tab has made it. glance: (checkpoint, job, request, what it showed) of the coarse picture
    that answered the newest change. sent: panel name → hash of the value the browser has."""

    wanted: PageSettings | None = None
    running: Ticket | None = None
    patience_s: float = 0.0
    stops: int = 0
    halted: PageSettings | None = None
    finished: dict[str, tuple[Any, dict[str, Any], Any]] = field(default_factory=dict)
    ddpm_s: dict[tuple[str, int], float] = field(default_factory=dict)
    exact: dict[tuple[str, int], Any] = field(default_factory=dict)
    glance: tuple[str, str, Any, dict[str, Any]] | None = None
    sent: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Ticket:
    """A run's right to go on: until other settings are wanted, Stop is pressed or the tab is gone."""

    sessions: Sessions
    key: str
    session: Session
    settings: PageSettings
    stops: int

    @property
    def stopped(self) -> bool:
        gone = self.sessions.peek(self.key) is not self.session  # even when the tab came back since
        return gone or self.session.stops != self.stops

    @property
    def stale(self) -> bool:
        return self.session.wanted not in (None, self.settings)

    @property
    def over(self) -> bool:
        return self.stopped or self.stale


class Sessions:
    """All tabs, by gradio's session hash. Settings are compared, not counted: a control's announcement
    and its run travel separately, and a run must not be ended by its own announcement arriving late."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}

    def get(self, key: str) -> Session:
        with self._lock:
            return self._sessions.setdefault(key, Session())

    def peek(self, key: str) -> Session | None:
        with self._lock:
            return self._sessions.get(key)

    def want(self, key: str, settings: PageSettings) -> None:
        session = self.get(key)
        session.wanted = settings
        if settings != session.halted:
            session.halted = None

    def stop(self, key: str, halt: bool = True) -> None:
        """End this tab's run within a step. halt: and do not run the same settings again before they change."""
        session = self.peek(key)
        if session is not None:
            session.stops += 1
            session.halted = session.wanted if halt else None

    def forget(self, key: str) -> None:
        with self._lock:
            self._sessions.pop(key, None)

    def ticket(self, key: str, settings: PageSettings) -> Ticket:
        session = self.get(key)
        return Ticket(self, key, session, settings, session.stops)

"""The tabs: what each wants now, what it has on screen, and the files it was offered. Bounded in number and time."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from demo.settings import PageSettings

if TYPE_CHECKING:
    from demo.jobs import Finished
    from demo.scene import File

MAX_SESSIONS, MAX_FILES = 256, 96
EXPIRES_S = 2 * 3600.0  # after its last message; a page that comes back later begins a new session


class Session:
    """One tab. seq: of the newest change that arrived. page: its settings. last: what each job showed last. ddpm_s:
    seconds of DDPM with all steps by (weights, batch), as measured here. pictures: the names of those that it dropped
    (demo/given.py)."""

    def __init__(self, key: str) -> None:
        self.key, self.seq, self.stopped_seq = key, -1, -1
        self.page: PageSettings | None = None
        self.last: dict[str, Finished] = {}
        self.ddpm_s: dict[tuple[str, int], float] = {}
        self.pictures: deque[str] = deque()
        self.gone = False
        self._files: OrderedDict[str, File] = OrderedDict()
        self._tokens: dict[object, str] = {}

    def offer(self, file: File) -> str:
        """The address of a file, which nobody can guess; the same for the same file."""
        what = file.name, tuple(map(id, file.runs))
        token = self._tokens.get(what)
        if token is None or token not in self._files:
            token = self._tokens[what] = secrets.token_urlsafe(12)
        self._files[token] = file
        self._files.move_to_end(token)
        while len(self._files) > MAX_FILES:
            self._files.popitem(last=False)
        if len(self._tokens) > 4 * MAX_FILES:
            self._tokens = {key: kept for key, kept in self._tokens.items() if kept in self._files}
        return f"ddim/file/{self.key}/{token}/{quote(file.name)}"

    def file(self, token: str, name: str) -> File | None:
        """What was offered under this address."""
        found = self._files.get(token)
        return found if found is not None and found.name == name else None


class Sessions:
    """By keys that the server makes. Thread-safe."""

    def __init__(
        self, most: int = MAX_SESSIONS, expires_s: float = EXPIRES_S, clock: Callable[[], float] = time.monotonic
    ):
        self.most, self.expires_s, self.clock = most, expires_s, clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[Session, float]] = OrderedDict()  # the longest silent first

    def get(self, key: object) -> Session | None:
        """The session of a key, or None where there is none, or none any more."""
        with self._lock:
            self._expire()
            found = self._kept.get(key) if isinstance(key, str) else None
            if found is None:
                return None
            self._kept[found[0].key] = found[0], self.clock()
            self._kept.move_to_end(found[0].key)
            return found[0]

    def new(self) -> Session:
        """A session with a key of its own; where there are too many the one that was silent for longest goes."""
        session = Session(secrets.token_urlsafe(18))
        with self._lock:
            self._kept[session.key] = session, self.clock()
            self._expire()
        return session

    def forget(self, key: object) -> None:
        """The tab is gone: its run ends, and what it had goes."""
        with self._lock:
            if isinstance(key, str) and key in self._kept:
                self._kept.pop(key)[0].gone = True

    def expire(self) -> None:
        """Forget who has been silent for too long, though nobody new comes."""
        with self._lock:
            self._expire()

    def __len__(self) -> int:
        return len(self._kept)

    def _expire(self) -> None:
        oldest = self.clock() - self.expires_s
        while self._kept:
            session, seen = next(iter(self._kept.values()))
            if len(self._kept) <= self.most and seen >= oldest:
                return
            session.gone = True
            self._kept.popitem(last=False)

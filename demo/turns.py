"""Whose piece of work is next: first pictures of a page, then short calls, then all others, in turn within each.

So whoever looks at a page sees something soon, a short call does not wait behind everybody's long runs, and long runs
go on meanwhile, since a share of the time is theirs.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

QUICK_S = 0.25  # of computing, which has room for a small call or for a first picture at few steps
BEHIND_PAGES = 0.25  # of the time is for calls and long runs, however many first pictures wait
LONG_SHARE = 0.5  # of the time is for long runs, however many short calls wait: pages and callers, half each


@dataclass
class Account:
    """Seconds of the compute thread that one run, call or file has had. page: whether somebody looks at what it makes
    as it comes."""

    spent_s: float = 0.0
    page: bool = False

    @property
    def level(self) -> int:
        """Which line it stands in; the first goes first."""
        return 2 if self.spent_s >= QUICK_S else 0 if self.page else 1


@dataclass(frozen=True)
class Piece:
    """What is to be done next for somebody. done: told its result."""

    work: Callable[[], Any]
    done: Future[Any]
    account: Account


@dataclass
class Line:
    """Those who wait for their turn. behind: the share of the time that is for the lines behind this one. owed_s: what
    they still have to get of it."""

    behind: float
    pieces: deque[Piece] = field(default_factory=deque)
    owed_s: float = 0.0


class Turns:
    """The pieces that wait. Thread-safe."""

    def __init__(self) -> None:
        self._lines = [Line(BEHIND_PAGES), Line(LONG_SHARE), Line(0.0)]
        self._there = threading.Condition()

    def put(self, piece: Piece) -> None:
        with self._there:
            self._lines[piece.account.level].pieces.append(piece)
            self._there.notify()

    def get(self, timeout: float) -> Piece:
        """The next one. Raises queue.Empty where none comes in time."""
        with self._there:
            if not self._there.wait_for(self.qsize, timeout):
                raise queue.Empty
            return self._take()

    def get_nowait(self) -> Piece:
        with self._there:
            if self.empty():
                raise queue.Empty
            return self._take()

    def spent(self, piece: Piece, seconds: float) -> None:
        """So long was worked on a piece just now."""
        level = piece.account.level
        piece.account.spent_s += seconds
        for front, line in enumerate(self._lines[:-1]):
            if front == level and self._wait_behind(front):
                line.owed_s += seconds * line.behind / (1 - line.behind)
            elif front < level and line.pieces:
                line.owed_s -= seconds

    def _take(self) -> Piece:
        for front, line in enumerate(self._lines):
            others = self._wait_behind(front)
            if not line.pieces or not others:
                line.owed_s = 0.0  # nobody saves up
            if line.pieces and line.owed_s <= 0:
                return line.pieces.popleft()
        raise AssertionError("Nobody waits.")  # the last line that waits is owed nothing

    def _wait_behind(self, front: int) -> bool:
        return any(line.pieces for line in self._lines[front + 1 :])

    def qsize(self) -> int:
        return sum(len(line.pieces) for line in self._lines)

    def empty(self) -> bool:
        return not self.qsize()

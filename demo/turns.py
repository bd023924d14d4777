"""Whose piece of work is next: of those who have had little of the compute thread yet, then of all others, in turn.

So a short call and the first picture of a change do not wait behind everybody's long runs, whoever they are of; and
long runs go on meanwhile, since a share of the time is theirs.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

QUICK_S = 0.25  # of computing, which has room for a small call or for a first picture at few steps
LONG_SHARE = 0.25  # of the time, while both wait


@dataclass
class Account:
    """Seconds of the compute thread that one run, call or file has had."""

    spent_s: float = 0.0


@dataclass(frozen=True)
class Piece:
    """What is to be done next for somebody. done: told its result."""

    work: Callable[[], Any]
    done: Future[Any]
    account: Account


class Turns:
    """The pieces that wait. Thread-safe."""

    def __init__(self) -> None:
        self._quick: deque[Piece] = deque()
        self._long: deque[Piece] = deque()
        self._there = threading.Condition()
        self._owed_s = 0.0  # to the long ones

    def put(self, piece: Piece) -> None:
        with self._there:
            (self._quick if piece.account.spent_s < QUICK_S else self._long).append(piece)
            self._there.notify()

    def get(self, timeout: float) -> Piece:
        """The next one. Raises queue.Empty where none comes in time."""
        with self._there:
            if not self._there.wait_for(lambda: self._quick or self._long, timeout):
                raise queue.Empty
            return self._take()

    def get_nowait(self) -> Piece:
        with self._there:
            if not (self._quick or self._long):
                raise queue.Empty
            return self._take()

    def spent(self, piece: Piece, seconds: float) -> None:
        """So long was worked on a piece just now."""
        quick = piece.account.spent_s < QUICK_S
        piece.account.spent_s += seconds
        if quick and self._long:
            self._owed_s += seconds * LONG_SHARE / (1 - LONG_SHARE)
        elif not quick and self._quick:
            self._owed_s -= seconds

    def _take(self) -> Piece:
        if not self._long or not self._quick:
            self._owed_s = 0.0  # nobody saves up
            return (self._quick or self._long).popleft()
        return (self._long if self._owed_s > 0 else self._quick).popleft()

    def qsize(self) -> int:
        return len(self._quick) + len(self._long)

    def empty(self) -> bool:
        return not self.qsize()

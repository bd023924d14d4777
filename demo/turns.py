"""One run at a time, in order of arrival, so that two tabs do not spoil each other's timings."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

POLL_S = 0.2
MAX_WAITING = 32  # runs that may stand in the queue; each holds a thread


class Turns:
    """A fair queue. Whoever waits is told how many are before them, and may leave at any time."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()

    @contextmanager
    def joined(self) -> Iterator[Turn]:
        """Stand in the queue from here to the end of the block; the first in it runs."""
        turn = Turn(self)
        with self._changed:
            self._queue.append(turn)
        try:
            yield turn
        finally:
            with self._changed:
                self._queue.remove(turn)
                self._changed.notify_all()

    def before(self, turn: Turn) -> int:
        with self._changed:
            return self._queue.index(turn)

    def wait(self, turn: Turn, seen: int) -> None:
        """Until the place is another than the one seen, or POLL_S has passed."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue.index(turn) != seen, POLL_S)


class Turn:
    """A place in the queue."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def places(self, over: Callable[[], bool], repeat: bool = False) -> Iterator[int]:
        """How many are before this one, at each change (with ``repeat``, every POLL_S at the latest), until it is first
        or ``over()``."""
        said = None
        while (place := self._turns.before(self)) > 0 and not over():
            if place != said or repeat:
                said = place
                yield place
            self._turns.wait(self, place)

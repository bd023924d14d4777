"""One thread for everything that computes: the main one, where a CPU's small networks run twice as fast.

GNU OpenMP, which torch's CPU build uses, lets idle threads spin only while no more of them exist than processors. The
main thread always counts, so a pool that any other thread opens is one too many: its threads then sleep and are woken
at each of the hundreds of parallel regions of a network (docs/decisions/0014-compute-thread.md has the figures).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

R = TypeVar("R")
Y = TypeVar("Y")

WAKE_S = 0.5  # how often the serving thread looks up, because on Windows Ctrl-C cannot interrupt a wait


class Compute:
    """Runs work on the thread that is in ``serve``, or, while there is none, on the thread that asks."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = queue.SimpleQueue()
        self._server: int | None = None  # ident of the thread in serve

    def serve(self, over: Callable[[], bool] = lambda: False) -> None:
        """Run what is asked for, in order, until ``over()`` or an exception that is no Exception, such as Ctrl-C."""
        self._server = threading.get_ident()
        try:
            while not over():
                try:
                    work, done = self._work.get(timeout=WAKE_S)
                except queue.Empty:
                    continue
                self._do(work, done)
        finally:
            self._server = None
            while not self._work.empty():
                self._work.get()[1].set_exception(RuntimeError("The app is closing."))

    @staticmethod
    def _do(work: Callable[[], R], done: Future[R]) -> None:
        try:
            done.set_result(work())
        except Exception as error:
            done.set_exception(error)
        except BaseException:
            done.set_exception(RuntimeError("The app is closing."))
            raise

    def later(self, work: Callable[[], object]) -> None:
        """Have it done as soon as there is a serving thread."""
        self._work.put((work, Future()))

    def call(self, work: Callable[[], R]) -> R:
        """Its result, or the exception that it raised."""
        if self._server in (None, threading.get_ident()):
            return work()
        done: Future[R] = Future()
        self._work.put((work, done))
        return done.result()

    def steps(self, made: Generator[Y, None, R]) -> Generator[Y, None, R]:
        """The same values and result; every stretch between two of them is computed there, and other work may come
        in between. Closing this closes it there."""
        try:
            while True:
                value, end = self.call(lambda: _advance(made))
                if end is not None:
                    return end.value
                yield value  # type: ignore[misc]  # there is one where there is no end
        finally:
            self.call(made.close)


def _advance(made: Iterator[Y]) -> tuple[Y | None, StopIteration | None]:
    """(the next value, None), or (None, the end): a Future cannot carry StopIteration."""
    try:
        return next(made), None
    except StopIteration as end:
        return None, end

"""One thread for everything that computes, because a second one makes a CPU's small networks half as fast.

GNU OpenMP, which torch's CPU build uses, gives each thread that computes a pool of helpers, and lets them spin between
the hundreds of parallel regions of a network only while there are no more of them, all pools together, than processors;
otherwise they sleep and are woken each time (docs/decisions/0014-compute-thread.md has the figures).

Everybody's work is done a piece at a time, in turn: a piece is a step of a run, or loading a model, or a file. So runs
of several tabs go on side by side, each timed by its own steps, and a new one begins soon (demo/turns.py).
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

from demo.turns import Account, Piece, Turns

R = TypeVar("R")
Y = TypeVar("Y")

TURN_S = 0.01  # pieces that are shorter are done several in one turn: a change has ten before its first picture
WAKE_S = 0.5  # how often the serving thread looks up, because on Windows Ctrl-C cannot interrupt a wait
NOT_DONE = object()
"""What a piece of work returns to be asked for again once the work queued meanwhile has had its piece."""


class ClosingError(RuntimeError):
    """The app ends, and whoever waits for work is told."""

    def __init__(self) -> None:
        super().__init__("The app is closing.")


class Compute:
    """Runs work on the thread that is in ``serve``, or, while none has claimed it, on the thread that asks. turn_s: how
    long a turn goes on at least, if there is so much to do."""

    def __init__(self, turn_s: float = TURN_S) -> None:
        self.turn_s = turn_s
        self._work = Turns()
        self._server: int | None = None  # ident of the thread that serves, or is about to
        self._lock = threading.Lock()
        self.playing = 0  # generators that ``play`` has begun and not ended

    def claim(self) -> None:
        """From now on work waits for this thread to serve."""
        self._server = threading.get_ident()

    def serve(self, over: Callable[[], bool] = lambda: False) -> None:
        """Run what is asked for, in order, until ``over()`` or an exception that is no Exception, such as Ctrl-C."""
        self.claim()
        try:
            while not over():
                try:
                    piece = self._work.get(timeout=WAKE_S)
                except queue.Empty:
                    continue
                self._do(piece)
        finally:
            self._server = None
            self._refuse()

    def serve_beside(self) -> None:
        """Where no thread serves, as in an app that mounts the page in its own, start one that does."""
        with self._lock:
            if self._server is None:
                ready = threading.Event()

                def serve() -> None:
                    self.claim()
                    ready.set()
                    self.serve()

                threading.Thread(target=serve, name="compute", daemon=True).start()
                ready.wait()

    def _do(self, piece: Piece) -> None:
        done, started = piece.done, time.perf_counter()
        try:
            while (result := piece.work()) is NOT_DONE and time.perf_counter() - started < self.turn_s:
                pass
            self._work.spent(piece, time.perf_counter() - started)
            if result is NOT_DONE:
                self._work.put(piece)
            else:
                done.set_result(result)
        except Exception as error:
            done.set_exception(error)
        except BaseException:
            if not done.done():
                done.set_exception(ClosingError())
            raise

    def _refuse(self) -> None:
        """Nobody serves any more: whoever waits is told."""
        while True:
            try:
                self._work.get_nowait().done.set_exception(ClosingError())
            except queue.Empty:
                return

    def later(self, work: Callable[[], object], account: Account | None = None) -> Future[Any]:
        """Have it done as soon as the serving thread comes to it, and do not wait. account: of whom it is a part."""
        done: Future[Any] = Future()
        self._work.put(Piece(work, done, account or Account()))
        return done

    def call(self, work: Callable[[], Any], account: Account | None = None) -> Any:
        """Its result, or the exception that it raised."""
        if self._server in (None, threading.get_ident()):
            while (result := work()) is NOT_DONE:
                pass
            return result
        done = self.later(work, account)
        if self._server is None:  # it ended meanwhile
            self._refuse()
        return done.result()

    def play(
        self, made: Generator[Y | None, None, None], say: Callable[[Y], None],
        end: Callable[[BaseException | None], None], counts: bool = True,
    ) -> None:  # fmt: skip
        """Have a generator run to its end, a value at a time, without a thread that waits. say: gets each value that is
        not None, on the serving thread. end: gets None at the end, or what ended it. counts: whether somebody looks at
        it as it comes, and it is told of as being computed beside others."""

        def piece() -> object:
            try:
                value = next(made)
            except StopIteration:
                return None
            if value is not None:
                say(value)
            return NOT_DONE

        def ended(done: Future[Any]) -> None:
            self.playing -= counts
            end(done.exception())

        self.playing += counts
        self.later(piece, Account(page=counts)).add_done_callback(ended)

    def steps(self, made: Generator[Y | None, None, R]) -> Generator[Y, None, R]:
        """The same values and result. What is computed between two of them is computed there; where ``made`` yields
        None, other work may come in between, and nothing is passed on. Closing this closes it there, soon."""
        ended, account = False, Account()
        try:
            while True:
                value, end = self.call(lambda: _advance(made), account)
                if end is not None:
                    ended = True
                    return end.value
                yield value
        finally:
            if not ended:  # perhaps on an event loop, which must not wait
                close = made.close
                self.call(close) if self._server is None else self.later(close)


def _advance(made: Iterator[Y | None]) -> Any:
    """(the next value, None), (None, the end), as a Future cannot carry StopIteration, or NOT_DONE."""
    try:
        value = next(made)
    except StopIteration as end:
        return None, end
    return NOT_DONE if value is None else (value, None)

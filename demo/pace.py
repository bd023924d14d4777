"""How long an evaluation of a network takes on this machine, by what was timed last."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from demo.jobs import with_label

if TYPE_CHECKING:
    from core import Engine

CALIBRATED_MS = 400.0  # of one picture: eight of a model that slow would keep everybody waiting
LOOKS, APART_S = 6, 0.4
NAP_S = 0.01  # of the compute thread, which others may want


class Pace:
    """Milliseconds of an evaluation by checkpoint and batch. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter, sleep: Callable[[float], None] = time.sleep):
        self._clock, self._sleep = clock, sleep
        self._ms: dict[tuple[str, int], float] = {}
        self._sure: set[tuple[str, int]] = set()  # a run told, or enough looks did

    def measured(self, name: str, batch: int, ms: float) -> None:
        """Remember what an evaluation of this batch took in a run."""
        self._ms[(name, batch)] = ms
        self._sure.add((name, batch))

    def expected_ms(self, name: str, batch: int) -> float:
        """Of one evaluation at this batch: measured, or from the nearest measured batch; 0 where nothing is known."""
        known = {b: ms for (n, b), ms in self._ms.copy().items() if n == name}
        if not known:
            return 0.0
        if batch in known:
            return known[batch]
        nearest = min(known, key=lambda b: abs(b - batch))
        return known[nearest] * (batch / nearest if batch > nearest else 1.0)

    def calibrated(self, name: str, engine: Engine) -> Generator[None, None, None]:
        """Time a few evaluations of one picture, then of eight, within a second or so of each: a model has just been
        opened, and somebody waits for its first picture."""
        for batch, steps in ((1, 3), (8, 2)):
            if self.expected_ms(name, batch) > CALIBRATED_MS:
                return  # the runs themselves will tell
            spent_s = 0.0
            for ms in _evaluations(engine, batch, steps):
                self._least(name, batch, ms)  # the machine is still busy starting up
                spent_s += ms / 1000
                yield
                if spent_s > 1:
                    break

    def looked_at_again(self, name: str, engine: Engine, batch: int) -> Generator[None, None, None]:
        """Where no run is to follow that would tell: time evaluations LOOKS times more, APART_S apart, and keep the
        least. Two at a time, since after a rest the first finds the caches cold.

        A browser that has just been given the page keeps every processor busy for a second or two, and what
        ``calibrated`` timed beside it was twice too long and more. Nothing is done where a run or this has told."""
        from core.fitting import AT_ONCE  # with torch

        batch = min(batch, AT_ONCE)
        if (name, batch) in self._sure or self.expected_ms(name, 1) > CALIBRATED_MS:
            return
        for i, ms in enumerate(_evaluations(engine, batch, 2 * LOOKS)):
            self._least(name, batch, ms)
            yield
            timed = self._clock()
            while i % 2 and self._clock() - timed < APART_S:
                yield
                self._sleep(NAP_S)
        self._sure.add((name, batch))

    def _least(self, name: str, batch: int, ms: float) -> None:
        self._ms[(name, batch)] = min(ms, self._ms.get((name, batch), ms))


def _evaluations(engine: Engine, batch: int, steps: int) -> Generator[float, None, None]:
    """Milliseconds of each of some evaluations, however long the caller takes between them."""
    from core import Request, SamplerSettings

    request, before = Request(tuple(range(batch)), SamplerSettings(min(steps, engine.T))), 0.0
    for step in engine.run(with_label(request, 0, engine)):
        yield 1000 * (step.elapsed_s - before)
        before = step.elapsed_s

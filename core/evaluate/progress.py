"""How far an evaluation is and how long the rest takes, from the evaluations that are left."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from core.evaluate.parts import Part

Clock = Callable[[], float]


def missing(parts: Iterable[Part]) -> dict[Path, int]:
    """Network evaluations of the parts that are not done, each part once."""
    return {part.path: part.evaluations for part in parts if not part.done}


def span(seconds: float) -> str:
    """ "45 s", "12 min", "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class Progress:
    """pending: evaluations left by part, of all cells. world: processes sharing them. ms: a first guess of the
    milliseconds an evaluation takes; what is measured replaces it. loud: whether to print lines to stderr."""

    def __init__(
        self, pending: dict[Path, int], world: int, ms: float, loud: bool = True, clock: Clock = time.perf_counter
    ) -> None:
        self.pending, self.world, self.loud, self._ms, self._clock = pending, world, loud, ms, clock
        self._seconds, self._evaluations = 0.0, 0
        self._part_at, self._part_done, self._said_at = clock(), 0, clock()
        self.label = ""

    @property
    def ms(self) -> float:
        """Milliseconds an evaluation takes, of all that were done here."""
        seconds, count = self._seconds, self._evaluations
        if self._part_done:
            seconds, count = seconds + self._clock() - self._part_at, count + self._part_done
        return 1000 * seconds / count if count else self._ms

    def expected(self, evaluations: int) -> float:
        """Seconds that this many evaluations take, shared by all processes."""
        return evaluations * self.ms / 1000 / self.world

    def begin(self) -> None:
        """A part is begun."""
        self._part_at, self._part_done = self._clock(), 0

    def tick(self, evaluations: int) -> None:
        self._part_done += evaluations
        every = 2 if sys.stderr.isatty() else 60
        if self.loud and self._clock() - self._said_at > every:
            self._said_at = self._clock()
            print(self.line(), file=sys.stderr, flush=True)

    def end(self, part: Part) -> None:
        """It is done."""
        self._seconds += self._clock() - self._part_at
        self._evaluations += part.evaluations
        self.pending.pop(part.path, None)
        self._part_done = 0

    def line(self) -> str:
        left = max(0, sum(self.pending.values()) - self._part_done * self.world)
        return f"{self.label}: {self.ms:.0f} ms an evaluation, all cells about {span(self.expected(left))}"

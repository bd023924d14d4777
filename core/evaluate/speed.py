"""Speed (paper Fig. 4): wall-clock of 16 pictures at each S beside DDPM with T steps, in one run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from statistics import median

from core.engine import Engine
from core.evaluate.cells import QUALITY_STEPS, SPEED_BATCH, SPEED_ROUNDS, Cell, settings
from core.evaluate.parts import Part
from core.evaluate.setup import Setup
from core.request import Request


def parts(setup: Setup, cell: Cell) -> list[Part]:
    """None: what is compared must be measured together."""
    return []


def plan(T: int) -> list[tuple[int, str]]:
    """(S, η) of every run, in order: rounds of the short ones with the two long ones in their midst."""
    short = [(S, "0") for S in QUALITY_STEPS if S < T]
    before = SPEED_ROUNDS // 2
    return [*short * before, (T, "0"), (T, "1"), *short * (SPEED_ROUNDS - before)]


def measure(engine: Engine, runs: list[tuple[int, str]], clock: Callable[[], float]) -> list[dict[str, object]]:
    """One row a distinct (S, η): seconds (median), fastest, slowest, runs, ratio to the slowest kind, DDPM."""
    engine.warm_up(SPEED_BATCH)
    seconds: dict[tuple[int, str], list[float]] = {}
    for S, eta in runs:
        request = Request(tuple(range(SPEED_BATCH)), settings(S, eta))
        started = clock()
        engine.sample(request)
        seconds.setdefault((S, eta), []).append(clock() - started)
    ddpm = median(seconds[engine.T, "1"])
    return [
        {
            "S": S,
            "eta": float(eta),
            "seconds": median(found),
            "fastest": min(found),
            "slowest": max(found),
            "runs": len(found),
            "times_faster_than_ddpm": ddpm / median(found),
        }
        for (S, eta), found in sorted(seconds.items(), key=lambda item: (item[0][1], item[0][0]))
    ]


def figures(setup: Setup, cell: Cell) -> dict[str, object]:
    """rows of ``measure``, and the load of the machine before and after (1 a busy core): another job slows all rows."""
    before = os.getloadavg()[0]
    rows = measure(setup.engine, plan(setup.engine.T), time.perf_counter)
    return {"n": cell.n, "rows": rows, "load_before": before, "load_after": os.getloadavg()[0]}

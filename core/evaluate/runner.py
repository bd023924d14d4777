"""Run cells one after the other: parts by all processes, figures by the first, within a budget of time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from core.evaluate import consistency, denoising, interpolation, quality, reconstruction, speed
from core.evaluate.cells import Cell
from core.evaluate.machine import machine, versions
from core.evaluate.parts import Part, load
from core.evaluate.progress import Clock, Progress, missing, span
from core.evaluate.setup import Setup
from core.evaluate.store import Store
from core.evaluate.team import Team
from core.parallel import Share


class Kind(Protocol):
    """A module that knows one kind of cell."""

    def parts(self, setup: Setup, cell: Cell) -> list[Part]:
        """What has to be there, some of it perhaps shared with other cells."""

    def figures(self, setup: Setup, cell: Cell) -> dict[str, object]:
        """What stands in the table, from finished parts."""


KINDS: dict[str, Kind] = {
    "quality": quality,
    "headline": quality,  # the same figures of more pictures
    "denoising": denoising,
    "reconstruction": reconstruction,
    "consistency": consistency,
    "interpolation": interpolation,
    "speed": speed,
}


def parts_of(setup: Setup, cell: Cell) -> list[Part]:
    """Each once."""
    return list({part.path: part for part in KINDS[cell.kind].parts(setup, cell)}.values())


def evaluations_left(setup: Setup, cell: Cell, world: int = 1) -> int:
    """Network calls, at the setup's batch or what costs the same, until the figures of a cell: those of the process of
    ``world`` that has most to do."""
    if cell.kind == "speed":
        return -(-cell.cost // setup.batch)  # of the first process; the others wait
    parts = parts_of(setup, cell)
    return max(sum(missing(parts[rank::world]).values()) for rank in range(world))


def record_of(setup: Setup, cell: Cell) -> dict[str, object]:
    """figures and all that belongs to them. duration_s: seconds of its parts (shared ones too) and of measuring."""
    made, started = parts_of(setup, cell), time.perf_counter()
    figures = KINDS[cell.kind].figures(setup, cell)
    seconds = float(load(made, "seconds").sum()) if made else 0.0
    return {
        "kind": cell.kind,
        "eta": cell.eta if cell.eta == "hat" else float(cell.eta),
        "S": cell.S,
        "way": cell.way or None,
        "conditions": setup.conditions(cell),
        "figures": figures,
        "duration_s": seconds + time.perf_counter() - started,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(setup.engine.device),
        "versions": versions(),
    }


def evaluate(
    setup: Setup,
    cells: Sequence[Cell],
    store: Store,
    team: Team | None = None,
    budget_s: float | None = None,
    redo: bool = False,
    say: Callable[[str], None] = print,
    clock: Clock = time.perf_counter,
) -> list[Cell]:
    """Bring the store up to date; the cells for which the budget was too short are returned.

    budget_s: a cell that is expected to end later than this after the call is not begun, nor any after it.
    """
    team, started = team or Team(Share()), clock()
    todo = [cell for cell in cells if not store.has(cell.key, setup.conditions(cell), redo)]
    for cell in todo:
        store.fits(cell.kind, setup.conditions(cell), [cell.key for cell in todo] if redo else [])
    todo = team.same(todo)
    say(f"{len(cells) - len(todo)} of {len(cells)} cells are there already")
    if not todo:
        return []
    pending = missing(part for cell in todo for part in parts_of(setup, cell))
    progress = Progress(pending, team.share.world, setup.ms_per_evaluation(), team.share.first, clock)
    for number, cell in enumerate(todo):
        expected = progress.ms * evaluations_left(setup, cell, team.share.world) / 1000
        fits = budget_s is None or clock() - started + expected <= budget_s
        if not team.same(fits):
            left = todo[number:]
            say(f"the budget ends before {cell.key}, which takes about {span(expected)}: {len(left)} cells left")
            return left
        progress.label = f"[{number + 1}/{len(todo)}] {cell.key}"
        say(f"{progress.label}: about {span(expected)}")
        for part in team.mine(parts_of(setup, cell)):
            if not part.done:
                progress.begin()
                part.finish(progress.tick)
                progress.end(part)
        team.wait()
        for part in parts_of(setup, cell):
            progress.pending.pop(part.path, None)  # the other processes' parts
        if team.share.first:
            store.put(cell.key, record_of(setup, cell))
    return []

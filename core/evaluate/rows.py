"""Typed views of an evaluation's JSON, for tables, plots and the page's trade-off."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from core.evaluate.cells import SOLVERS

Document = Mapping[str, Any]


@dataclass(frozen=True)
class QualityRow:
    """One quality cell. eta: "0", "0.2", "0.5", "1" or "hat". frechet ± spread, kid ± kid_spread at n pictures.

    ms_per_evaluation: at the cell's batch. seconds_per_image, wall_clock_s: seconds in the sampler.
    """

    eta: str
    S: int
    n: int
    frechet: float
    spread: float
    kid: float
    kid_spread: float
    ms_per_evaluation: float
    seconds_per_image: float
    wall_clock_s: float


@dataclass(frozen=True)
class Headline:
    """S: the fewest steps whose η = 0 Fréchet distance is at most (1 + within)·ddpm, None where none is.

    ddpm, ddpm_spread: of η = 1 with T steps. nearest: (S, how far above DDPM its distance is, as a share of
    DDPM's, and the spread of that share) of the η = 0 cell of fewer steps with the least distance, None where none is.
    ratio: how many times less wall-clock S takes than T at η = 1; same_run: whether both times are from the
    speed cell, else from the quality cells.
    """

    T: int
    within: float
    ddpm: float
    ddpm_spread: float
    nearest: tuple[int, float, float] | None = None
    S: int | None = None
    frechet: float | None = None
    spread: float | None = None
    ratio: float | None = None
    same_run: bool = False


def cell(document: Document, key: str) -> dict[str, Any] | None:
    """The figures of a cell, or None if it was not run."""
    found = document["cells"].get(key)
    return None if found is None else found["figures"]


def _row(found: Mapping[str, Any], label: str) -> QualityRow:
    names = [name for name in QualityRow.__dataclass_fields__ if name not in ("eta", "S")]
    return QualityRow(label, int(found["S"]), **{name: found["figures"][name] for name in names})


def quality_rows(document: Document) -> list[QualityRow]:
    """Every quality cell of DDIM's processes that was run, by η and S. The floor is no row: cell(document,
    "quality/floor")."""
    rows = []
    for found in document["cells"].values():
        if found["kind"] == "quality" and found["way"] is None:
            eta = found["eta"]
            rows.append(_row(found, eta if isinstance(eta, str) else f"{eta:g}"))
    return sorted(rows, key=lambda row: (row.eta, row.S))


def solver_rows(document: Document) -> list[QualityRow]:
    """Every quality cell of another solver that was run, by solver, whose name stands in the place of η, and S."""
    cells = document["cells"].values()
    rows = [_row(found, found["way"]) for found in cells if found["kind"] == "quality" and found["way"] in SOLVERS]
    return sorted(rows, key=lambda row: (row.eta, row.S))


def seconds_per_step(document: Document) -> float:
    """Median seconds of one step of one picture: of the speed cell's rows, or, without it, of the quality cells. Those
    were run at different hours, under different loads of the machine, and share one rate, since time is linear in S.
    """
    speed = cell(document, "speed/steps")
    if speed is not None:
        return median(row["seconds"] / row["S"] / speed["n"] for row in speed["rows"])
    return median(row.seconds_per_image / row.S for row in quality_rows(document))


def _above(row: QualityRow, ddpm: QualityRow) -> tuple[int, float, float]:
    """S of a cell, its distance by DDPM's minus 1, and the spread of that: the two cells' noise is independent."""
    ratio = row.frechet / ddpm.frechet
    return row.S, ratio - 1, abs(ratio) * math.hypot(row.spread / row.frechet, ddpm.spread / ddpm.frechet)


def headline(document: Document, within: float = 0.1) -> Headline | None:
    """Computed from the cells; None while η = 1 at S = T was not run."""
    T = int(document["checkpoint"]["T"])
    rows = {(row.eta, row.S): row for row in quality_rows(document)}
    ddpm = rows.get(("1", T))
    if ddpm is None:
        return None
    ddim = sorted((row for (eta, _), row in rows.items() if eta == "0"), key=lambda row: row.S)
    best = next((row for row in ddim if row.frechet <= (1 + within) * ddpm.frechet), None)
    missed = min(ddim[: ddim.index(best)] if best else ddim, key=lambda row: row.frechet, default=None)
    bare = Headline(T, within, ddpm.frechet, ddpm.spread, None if missed is None else _above(missed, ddpm))
    if best is None:
        return bare
    speed = cell(document, "speed/steps")
    times = {} if speed is None else {(row["eta"], row["S"]): row["seconds"] for row in speed["rows"]}
    same_run = (0.0, best.S) in times and (1.0, T) in times
    slow, fast = (times[1.0, T], times[0.0, best.S]) if same_run else (ddpm.seconds_per_image, best.seconds_per_image)
    return replace(bare, S=best.S, frechet=best.frechet, spread=best.spread, ratio=slow / fast, same_run=same_run)

"""Typed views of an evaluation's JSON, for tables, plots and the page's trade-off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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


def cell(document: Document, key: str) -> dict[str, Any] | None:
    """The figures of a cell, or None if it was not run."""
    found = document["cells"].get(key)
    return None if found is None else found["figures"]


def _row(found: Mapping[str, Any], label: str) -> QualityRow:
    names = [name for name in QualityRow.__dataclass_fields__ if name not in ("eta", "S")]
    return QualityRow(label, int(found["S"]), **{name: found["figures"][name] for name in names})


def quality_rows(document: Document, kind: str = "quality") -> list[QualityRow]:
    """Every quality cell of DDIM's processes that was run, by η and S, or every headline cell. The floor is no row:
    cell(document, "quality/floor")."""
    rows = []
    for found in document["cells"].values():
        if found["kind"] == kind and found["way"] is None:
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

"""Markdown tables beyond the paper: DDIM beside other solvers of the same ODE."""

from __future__ import annotations

from core.evaluate.cells import CONSISTENCY_SOLVER_STEPS, SOLVER_STEPS, SOLVERS, VARIANT_STEPS
from core.evaluate.digits import measured
from core.evaluate.rows import Document, cell, quality_rows, solver_rows
from core.evaluate.tables import CONSISTENCY_MEASURES, NOT_RUN, consistency, table
from core.solvers import SOLVERS as ENGINE_SOLVERS


def solver_titles() -> dict[str, str]:
    """What people read of each solver that is measured here."""
    return {name: ENGINE_SOLVERS[name].title for name in SOLVERS}


def solvers_table(document: Document) -> str:
    """DDIM at η = 0 beside the solvers beyond the paper, at few steps and at DDIM's 50."""
    T = document["checkpoint"]["T"]
    steps = [S for S in (*SOLVER_STEPS, VARIANT_STEPS[-1]) if S < T]
    rows = {(row.eta, row.S): row for row in [*quality_rows(document), *solver_rows(document)]}

    def shown(name: str, S: int) -> str:
        row = rows.get((name, S))
        missing = "–" if name in SOLVERS and S not in SOLVER_STEPS else NOT_RUN
        return missing if row is None else measured(row.frechet, row.spread)

    body = [[title, *(shown(name, S) for S in steps)] for name, title in (("0", "DDIM"), *solver_titles().items())]
    return table(["η = 0, Fréchet", *(f"S = {S}" for S in steps)], body)


def solver_consistency_table(document: Document) -> str:
    """DDIM at η = 0 beside the solvers beyond the paper: how far each is from DDIM's T steps from the same x_T."""
    T, ways = document["checkpoint"]["T"], {"eta=0": "DDIM", **solver_titles()}
    names = ("pixels", "same")

    def shown(S: int, way: str, name: str) -> str:
        return consistency(cell(document, f"consistency/{way}/S={S}") or {}, name)

    columns = [(way, name) for name in names for way in ways]
    head = ["S", *(f"{CONSISTENCY_MEASURES[name]}, {ways[way]}" for way, name in columns)]
    steps = [S for S in CONSISTENCY_SOLVER_STEPS if S < T]
    return table(head, [[str(S), *(shown(S, *column) for column in columns)] for S in steps])

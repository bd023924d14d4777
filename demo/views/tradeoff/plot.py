"""Quality against time: the stored evaluation of a checkpoint on this machine's own time axis."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from core import Engine
from core.errors import DataError
from core.evaluate.headline import headline
from core.evaluate.rows import cell, quality_rows, solver_rows
from core.evaluate.store import read_document
from core.solvers import SOLVERS
from core.solvers.ddim import DDIM
from demo.host import EngineHost
from demo.settings import PageSettings
from demo.views.tradeoff.claim import claim
from demo.words import seconds, setting_label, solver

BUDGET_S = 2.0  # what one would wait for
HAT = "σ̂"  # has no place on the η slider
Curve = list[tuple[int, float, float]]  # (S, distance, spread), S rising


def curves_of(document: Mapping[str, Any]) -> dict[float | str, Curve]:
    """The quality cells of an evaluation by η (then σ̂, then other solvers by title), each as a rising list of
    (S, distance, spread)."""
    found: dict[float | str, Curve] = {}
    for row in quality_rows(document):
        eta = HAT if row.eta == "hat" else float(row.eta)
        found.setdefault(eta, []).append((row.S, row.frechet, row.spread))
    order: list[float | str] = sorted(found, key=lambda eta: math.inf if isinstance(eta, str) else eta)
    for row in solver_rows(document):
        found.setdefault(SOLVERS[row.eta].title, []).append((row.S, row.frechet, row.spread))
    return {name: sorted(found[name]) for name in dict.fromkeys([*order, *found])}


def on_curve(curve: Curve, S: int) -> float | None:
    """The distance at S, straight between its neighbours in log S and log distance; None outside the curve."""
    at = [point[0] for point in curve]
    if S in at:
        return curve[at.index(S)][1]
    if not at[0] <= S <= at[-1]:
        return None
    k = bisect_right(at, S)
    low, high = curve[k - 1], curve[k]
    w = math.log(S / low[0]) / math.log(high[0] / low[0])
    return math.exp((1 - w) * math.log(low[1]) + w * math.log(high[1]))


def between_curves(curves: Mapping[float | str, Curve], S: int, eta: float) -> tuple[float | None, bool]:
    """(distance at S and η, whether it was measured there). Between two curves it is straight in η."""
    etas = sorted(eta for eta in curves if isinstance(eta, float))
    if not etas or not etas[0] <= eta <= etas[-1]:
        return None, False
    if eta in curves:
        return on_curve(curves[eta], S), any(point[0] == S for point in curves[eta])
    k = bisect_right(etas, eta)
    low, high = etas[k - 1], etas[k]
    ends = on_curve(curves[low], S), on_curve(curves[high], S)
    if ends[0] is None or ends[1] is None:
        return None, False
    w = (eta - low) / (high - low)
    return (1 - w) * ends[0] + w * ends[1], False


def stored(host: EngineHost, engine: Engine) -> tuple[dict[str, Any] | None, str]:
    """(the evaluation beside a checkpoint, or None, why there is none)."""
    name = engine.checkpoint.name
    path = host.folder(name) / "evaluation.json"
    remedy = f"python -m core evaluate {host.folder_text(name)} --data TRAIN --held-out HELD measures it."
    if not path.is_file():
        return None, f"{name} has not been evaluated: {remedy}"
    try:
        document = read_document(path)
        if document["checkpoint"]["sha256"] != engine.checkpoint.sha256:
            return None, f"evaluation.json of {name} belongs to other weights: move it away, then {remedy}"
        quality_rows(document)
        headline(document)
    except (DataError, ArithmeticError, KeyError, TypeError, ValueError):
        return None, f"evaluation.json of {name} cannot be read: move it away, then {remedy}"
    return document, ""


def tradeoff_panel(host: EngineHost, engine: Engine, page: PageSettings) -> dict[str, Any]:
    """The panel at these settings."""
    document, why = stored(host, engine)
    return tradeoff_value(document, why, page, host.pace.expected_ms(page.checkpoint, page.count))


def tradeoff_value(document: Mapping[str, Any] | None, why: str, page: PageSettings, ms: float) -> dict[str, Any]:
    """What the panel draws. document: the checkpoint's evaluation, or None and ``why`` there is none.
    ms: of one network evaluation with the page's number of pictures."""
    if document is None:
        return {"state": "none", "note": why, "label": "", "curves": []}
    curves = curves_of(document)
    n = sorted({row.n for row in quality_rows(document)})
    per_step = ms / 1000
    if page.solver == DDIM.name:
        distance, measured = between_curves(curves, page.steps, page.eta)
    else:
        own = curves.get(SOLVERS[page.solver].title, [])
        distance, measured = on_curve(own, page.steps) if own else None, page.steps in [point[0] for point in own]
    spacing = document["checkpoint"].get("spacing", page.spacing)
    floor = cell(document, "quality/floor")
    return {
        "state": "done",
        "label": f"{page.checkpoint} · n = {' and '.join(map(str, n))}",
        "curves": [
            {
                "name": f"η = {eta:g}" if isinstance(eta, float) else eta,
                "eta": eta if isinstance(eta, float) else None,
                "points": [[S, S * per_step, d, spread] for S, d, spread in curve],
            }
            for eta, curve in curves.items()
        ],
        "floor": floor["frechet"] if floor else None,
        "dot": {"S": page.steps, "eta": page.eta, "time": page.steps * per_step, "distance": distance},
        "said": dot_note(page, per_step, distance, measured),
        "best": best_note(curves, per_step),
        "claim": claim(document, spacing),
        "note": "" if page.spacing == spacing else f"Measured with {spacing} steps; the page is set to {page.spacing}.",
        "axis": f"time for {page.count} pictures here, estimated",
        "steps": page.steps,
        "eta": page.eta,
    }


def best_note(curves: Mapping[float | str, Curve], per_step: float, budget_s: float = BUDGET_S) -> str:
    """The conclusion: the measured point of least distance that fits the budget, and how far the others are."""
    points = [(d, spread, S, name) for name, curve in curves.items() for S, d, spread in curve]
    within = [point for point in points if per_step * point[2] <= budget_s]
    if not per_step or not within:
        fastest = min((S for _, _, S, _ in points), default=0)
        return f"Nothing that was measured takes under {seconds(budget_s)} here; S = {fastest} is the fastest."
    d, spread, S, name = min(within)
    what = f"S = {S}, η = {name:g}" if isinstance(name, float) else f"S = {S}, {name}"
    best = min(points)[0]
    beyond = "the best of all" if d == best else f"the best of all has {best:.1f}"
    return f"Best under {seconds(budget_s)}: {what}, distance {d:.1f} ± {spread:.1f}; {beyond}."


def dot_note(page: PageSettings, per_step: float, distance: float | None, measured: bool) -> str:
    """The moving dot in words."""
    what = (
        setting_label(page.steps, page.eta) if page.solver == DDIM.name else f"S = {page.steps} · {solver(page.solver)}"
    )
    where = f"{what}: about {seconds(page.steps * per_step)} here"
    if distance is None:
        return f"{where}; no distance was measured near it."
    return f"{where}, distance {distance:.1f} ({'measured' if measured else 'read off between measured points'})."

"""From what each run shows to the values of the page's panels. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.reproduce import short

Values = Mapping[str, dict[str, Any]]
PASSING = ("coarse", "running")  # what is soon followed by something else


def cell_name(steps: int, eta: float) -> str:
    """The job of a cell of the grid, η with all its digits: two cells must not share one job."""
    return f"cell {steps} {short(eta)}"


def panel_of(job: str) -> str:
    """The panel in which a job is shown: A and B share one, and so do the runners of a race, the cells of a grid,
    and a sheet and the place on it."""
    if job.startswith("lane"):
        return "race"
    if job.startswith("cell"):
        return "grid"
    return {"a": "duel", "b": "duel", "sheet": "square", "place": "square"}.get(job, job)


def grid_value(shown: Values, steps: Sequence[int], etas: Sequence[float], plan: str) -> dict[str, Any]:
    """The whole grid: rows of cells by η, columns by S, None for a cell that has nothing to show yet.
    plan: how many runs it is and how long they are estimated to take."""
    rows = [[shown.get(cell_name(S, eta)) for S in steps] for eta in etas]
    done = sum(cell is not None and cell["state"] == "done" for row in rows for cell in row)
    return {
        "state": "done" if done == len(steps) * len(etas) else "running" if done else "waiting",
        "progress": done / (len(steps) * len(etas)),
        "grid": {"steps": list(steps), "etas": list(etas), "cells": rows},
        "label": plan,
    }


def lane(job: str, changed: Values, shown: Values) -> dict[str, Any] | None:
    """What one film of several shows. While another one's preview is shown, a finished film does not travel again:
    it is half a megabyte, the browser keeps it, and the preview's own end brings all of them."""
    value = shown.get(job)
    if value is None or job in changed or value["state"] != "done":
        return value
    passing = any(v["state"] in PASSING for other, v in changed.items() if panel_of(other) == panel_of(job))
    return {name: part for name, part in value.items() if name != "film"} if passing else value


def panels(
    changed: Values, shown: Values, lanes: int, apart: dict[str, Any] | None = None
) -> dict[str, dict[str, Any]]:
    """Values of the panels that ``changed`` touches, but for the grid's. shown: the newest value of every job,
    changed included. lanes: how many runners there are. apart: how far their pictures are from each other, when
    all are done."""
    out: dict[str, dict[str, Any]] = {}
    for job in changed:
        name = panel_of(job)
        if name == "grid":
            continue  # a whole view: grid_value
        if name == "duel":
            out[name] = {key: lane(key, changed, shown) for key in "ab"}
        elif name == "square":
            out[name] = {key: shown.get(key) for key in ("sheet", "place")}
        elif name == "race":
            out[name] = {"lanes": [lane(f"lane{i}", changed, shown) for i in range(lanes)], "apart": apart}
        else:
            out[name] = dict(shown[job])
    return out

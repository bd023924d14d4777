"""What the panels say: pure functions from numbers to the values that the browser draws."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.axes import AXES, Axis, value_of
from core.request import Request
from core.solvers import solver_named
from demo.fields import short

if TYPE_CHECKING:
    from core.files.legend import Legend

Readout = list[list[str]]
WORTH_SAYING_S = 10.0  # of waiting
CROWDED = "So many runs are going on here that there is no room for one more: try again in a minute."


def seconds(s: float) -> str:
    """A duration a person reads at a glance."""
    if s < 0.9995:
        return f"{1000 * s:.0f} ms"
    return f"{s:.2f} s" if s < 10 else f"{s:.1f} s" if s < 120 else f"{s / 60:.1f} min"


def speed_up(total_s: float, steps: int, T: int, ddpm_s: float | None) -> tuple[str, str]:
    """(factor, how it is known) against DDPM with all T steps at the same batch.

    measured: both were run here. estimated: DDPM's T evaluations at this run's own time per step.
    """
    if total_s <= 0:
        return "–", "estimated"
    if ddpm_s is not None:
        return f"{ddpm_s / total_s:.1f}×", "measured"
    return f"{T / steps:.1f}×", "estimated"


def readout(
    timing: Mapping[str, Any], steps: int, T: int, images: int, ddpm_s: float | None = None, preview_s: float = 0.0
) -> Readout:
    """Rows of [label, figure, qualifier] under a panel."""
    total = float(timing["total_s"])
    factor, known = speed_up(total, steps, T, ddpm_s)
    rows = [
        ["total", seconds(total), "measured"],
        ["per step", f"{1000 * total / steps:.1f} ms", "measured"],
        ["images/s", f"{images / total:.2f}", "measured"],
        [f"vs DDPM {T}", factor, known],
    ]
    if preview_s:
        rows.append(["drawing", seconds(preview_s), "not in total"])
    return rows


def headline(total_s: float, steps: int, factor: str, known: str, T: int) -> str:
    """A run's time in one line, to be read from the back row."""
    step = 1000 * total_s / steps
    gain = (
        ""
        if factor in ("–", "1.0×")
        else f" · {factor.removesuffix('.0×').rstrip('×')}× less time than DDPM {T} ({known})"
    )
    return f"{seconds(total_s)} · {step:.{0 if step >= 10 else 1}f} ms a step{gain}"


def setting_label(steps: int, eta: float) -> str:
    """The caption of a player, such as "S = 20 · η = 0"."""
    return f"S = {steps} · η = {eta:g}"


def solver(name: str) -> str:
    """What people read of a solver."""
    return solver_named(name).title


def shared_note(pictures: int) -> str:
    """Whose time it is where several panels' pictures are made together."""
    return f"measured, {pictures} pictures made together"


TIMING = "Timing the network on this machine."


def about(s: float) -> str:
    """An estimate that people decide by."""
    return f"≈ {max(1, round(s / 60))} min" if s >= 60 else f"≈ {round(s)} s"


def sampling(others: int, own_s: float) -> str:
    """The line while it runs. own_s: what it would take alone; each of the others may want as much."""
    if others < 1:
        return "Sampling…"
    wait = own_s * (others + 1)
    end = f", {about(wait).removeprefix('≈ ')} at most by estimate…" if wait >= WORTH_SAYING_S else "…"
    return f"Sampling, in turn with {others} other{'s' if others > 1 else ''}{end}"


def machine(timing: Mapping[str, Any]) -> str:
    """Where a figure was taken."""
    threads = f", {cores(timing['threads'])}" if str(timing["device"]).startswith("cpu") else ""
    return f"{timing['device_name']}{threads}, {timing['precision']}, {timing['backend']}"


def cores(threads: int) -> str:
    return f"{threads} thread" + ("" if threads == 1 else "s")


def value_label(setting: str, value: Any) -> str:
    """A value of a grid's axis, such as "S = 20" or "seed 6"."""
    if setting == "steps":
        return f"S = {value}"
    if setting == "eta":
        return f"η = {short(value)}"
    return f"seed {value}" if setting == "seed" else solver(value) if setting == "solver" else str(value)


def axes_name(across: str, down: str) -> str:
    """What a grid varies, such as "S across, η down"."""
    x, y = ({"steps": "S", "eta": "η"}.get(name, name) for name in (across, down))
    return f"{x.capitalize() if x.isascii() else x} across, {y} down"


def alike(request: Request, *varied: str) -> str:
    """What all cells of a grid have in common, such as "seed 6, leading"."""
    usual = ("solver",) if request.settings.solver == "ddim" else ()
    said = [value_label(name, value_of(request, name)) for name in AXES if name not in (*varied, *usual)]
    label = request.settings.label
    return ", ".join(said if label is None else [*said, f"class {label}"])


def grid_plan(cells: int, evaluations: int, estimate_s: float, all_have: str) -> str:
    """What a grid takes, said before it starts, and what does not vary in it."""
    return f"{all_have} · {cells} cells · {evaluations:,} network evaluations · estimated {seconds(estimate_s)}"


def legend(
    checkpoint: str, request: Request, records: Sequence[Mapping[str, Any]], columns: Axis, rows: Axis
) -> Legend:
    """What the picture of a grid says. request: of a cell as it was asked. records: of all, row by row."""
    from core.files.legend import Legend

    times, n = [seconds(record["timing"]["total_s"]) for record in records], len(columns.values)
    all_have = alike(request, columns.name, rows.name)
    return Legend(
        [value_label(columns.name, value) for value in columns.values],
        [value_label(rows.name, value) for value in rows.values],
        [times[i : i + n] for i in range(0, len(times), n)],
        f"{checkpoint}, {all_have}; {machine(records[0]['timing'])}",
    )


def branches_label(steps: int, eta: float, branch_eta: float, seed: int) -> str:
    """The caption of rows of branches."""
    return f"S = {steps} · seed {seed}, at η = {short(eta)} down to t, then at η = {short(branch_eta)}"


def branches_said(eta: float) -> str:
    """What to look for in rows of branches."""
    if eta == 0:
        return "Without noise there is one way down from each x_t, so the branches are all alike: raise their η."
    return "Where a row's pictures are alike, that was decided at its t; where they differ, it was still open."


def error_text(error: float) -> str:
    """A mean square on 0..1 that people compare, such as 3.1e−4, on one line."""
    return f"{error:.1e}".replace("e-0", "e−").replace("e-", "e−").replace("e+00", "")


def found_headline(total_s: float, errors: Sequence[float]) -> str:
    """A way up and down in one line, to be read from the back row."""
    return f"{seconds(total_s)} up and down" + "".join(f" · error {error_text(error)}" for error in errors)


IDEAL = {"mean": 0.0, "std": 1.0, "neighbours": 0.0}  # of noise
FIGURES = {"mean": "mean", "std": "spread", "neighbours": "correlation of neighbours"}


def range_text(between: tuple[float, float] | None) -> str:
    """What the figure is of others, such as "examples: 0.59 to 0.68"."""
    return "" if between is None else f"examples: {between[0]:.2f} to {between[1]:.2f}"


def gaussian_said(figures: Mapping[str, float], n: int, others: Mapping[str, tuple[float, float]]) -> str:
    """How far a latent of n values is from a seed's noise, and why. others: from where to where held-out pictures have
    each figure, that were taken up in the same way; empty where there are none."""
    chance = 4 / math.sqrt(n)
    far = [name for name, ideal in IDEAL.items() if abs(figures[name] - ideal) > max(0.05, chance)]
    if not far:
        return "By these figures it could be the noise of a seed."
    unlike = []
    for name in far if others else []:
        low, high = others[name]
        room = 0.25 * (high - low) + chance
        if not low - room <= figures[name] <= high + room:
            unlike.append(f"{FIGURES[name]} {figures[name]:.2f} where they have {low:.2f} to {high:.2f}")
    if unlike:
        differs = ", ".join(unlike)
        return f"Unlike held-out pictures taken up the same way: {differs}. The network saw none like it in training."
    said = " and ".join(FIGURES[name] for name in far)
    if others:
        why = "but held-out pictures have the same: the steps up are coarse. More of them, or refinements, help."
        return f"Not noise by its {said}, {why}"
    return f"Not noise by its {said}. More steps, or refinements, help where the picture is like those of the training."


def failure_note(kind: str) -> str:
    """A sentence for an error that nobody foresaw. kind: the name of its class."""
    remedy = "choose fewer pictures" if "OutOfMemory" in kind else "the terminal that runs app.py shows more"
    return f"The run failed ({kind}): {remedy}."


def noise_note(between: bool, eta: float, own_noise: bool) -> str:
    """A word where η > 0 breaks what makes a path smooth."""
    if not between or eta == 0:
        return ""
    if own_noise:
        return "η > 0 and own noise: neighbours on the path differ by chance as well as by x_T."
    return "η > 0: all pictures get the same added noise, so that only x_T differs between them."


def step_note(steps: int, spacing: str) -> str:
    """A word where a setting surprises."""
    if steps > 1:
        return ""
    if spacing == "leading":
        return "One leading step asks the network at t = 0, where it finds no noise to take away: take more steps."
    return "One step asks the network once, at pure noise, and what it answers is a blur: take more steps."

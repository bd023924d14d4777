"""How few steps are as good as DDPM's all: the sentence, and the table that it is read from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.evaluate import tables
from core.evaluate.digits import measured, number
from core.evaluate.rows import Document, QualityRow, cell, quality_rows
from core.evaluate.shares import shares

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Headline:
    """S: the fewest steps whose η = 0 Fréchet distance is at most (1 + within)·ddpm, None where none is.

    ddpm, ddpm_spread: of η = 1 with T steps. nearest: (S, how far above DDPM its distance is, as a share of
    DDPM's, and the spread of that share) of the η = 0 cell of fewer steps with the least distance, None where none is.
    ratio: how many times less wall-clock S takes than T at η = 1; same_run: whether both times are from the
    speed cell, else from the cells of the distances. n: pictures a cell.
    tried: the S of η = 0.
    """

    T: int
    within: float
    ddpm: float
    ddpm_spread: float
    n: int
    tried: tuple[int, ...]
    nearest: tuple[int, float, float] | None = None
    S: int | None = None
    frechet: float | None = None
    spread: float | None = None
    ratio: float | None = None
    same_run: bool = False


def _above(row: QualityRow, ddpm: QualityRow) -> tuple[int, float, float]:
    """S of a cell, its distance by DDPM's minus 1, and the spread of that: the two cells' noise is independent."""
    ratio = row.frechet / ddpm.frechet
    return row.S, ratio - 1, abs(ratio) * math.hypot(row.spread / row.frechet, ddpm.spread / ddpm.frechet)


def _rows(document: Document, kind: str) -> dict[tuple[str, int], QualityRow]:
    return {(row.eta, row.S): row for row in quality_rows(document, kind)}


def _seconds(document: Document, rows: Sequence[QualityRow]) -> tuple[list[float], bool]:
    """(of each row seconds that compare with each other, whether all are of the one speed cell or else of the rows)."""
    speed = cell(document, "speed/steps")
    times = {} if speed is None else {(found["eta"], found["S"]): found["seconds"] for found in speed["rows"]}
    keys = [(float(row.eta), row.S) for row in rows]
    if all(key in times for key in keys):
        return [times[key] for key in keys], True
    return [row.seconds_per_image for row in rows], False


def _ddim(rows: dict[tuple[str, int], QualityRow]) -> list[QualityRow]:
    return sorted((row for (eta, _), row in rows.items() if eta == "0"), key=lambda row: row.S)


def headline(document: Document, within: float = 0.1) -> Headline | None:
    """Computed from the headline cells, or from the quality cells where DDPM's is not among those; None while η = 1 at
    S = T was not run."""
    T = int(document["checkpoint"]["T"])
    rows = _rows(document, "headline")
    if ("1", T) not in rows or not _ddim(rows):
        rows = _rows(document, "quality")
    ddpm = rows.get(("1", T))
    if ddpm is None:
        return None
    ddim = _ddim(rows)
    best = next((row for row in ddim if row.frechet <= (1 + within) * ddpm.frechet), None)
    missed = min(ddim[: ddim.index(best)] if best else ddim, key=lambda row: row.frechet, default=None)
    nearest = None if missed is None else _above(missed, ddpm)
    bare = Headline(T, within, ddpm.frechet, ddpm.spread, ddpm.n, tuple(row.S for row in ddim), nearest)
    if best is None:
        return bare
    (fast, slow), same_run = _seconds(document, [best, ddpm])
    return replace(bare, S=best.S, frechet=best.frechet, spread=best.spread, ratio=slow / fast, same_run=same_run)


def headline_text(document: Document) -> str:
    """One sentence: the fewest steps that are as good as DDPM, and what they save."""
    found = headline(document)
    if found is None:
        return f"Headline: not yet, since η = 1 at S = {document['checkpoint']['T']} was {tables.NOT_RUN}."
    ddpm = f"DDPM (η = 1, S = {found.T}) gives {measured(found.ddpm, found.ddpm_spread)} (n = {found.n})"
    within = f"{100 * found.within:.0f} %"
    others, nearest = "the nearest" if found.S is None else "the nearest of fewer steps", ""
    if found.nearest is not None:
        S, above, spread = found.nearest
        nearest = f"; {others} is S = {S}, {100 * above:.0f} ± {100 * spread:.0f} % above"
    if found.S is None:
        tried = f"None of S = {', '.join(map(str, found.tried))}" if found.tried else "No S that was run"
        return f"**{tried} brings η = 0 within {within} of DDPM.** {ddpm}{nearest}."
    gives = f"Fréchet distance {measured(found.frechet, found.spread)}; {ddpm}{nearest}."
    if found.S == found.T:
        return f"**η = 0 is within {within} of DDPM with all {found.T} steps only.** {gives}"
    times = "the same run" if found.same_run else "the cells themselves, not of one run"
    saved = f"{number(found.ratio)} times faster"
    return f"**η = 0 is within {within} of DDPM at S = {found.S}, {saved}.** {gives} Times are those of {times}."


def headline_table(document: Document) -> str | None:
    """η = 0 at few steps beside DDPM, with more pictures than the other tables, and a line about it before; None while
    DDPM's cell, or all of η = 0, was not run."""
    rows = _rows(document, "headline")
    ddpm, ddim = rows.get(("1", int(document["checkpoint"]["T"]))), _ddim(rows)
    if ddpm is None or not ddim:
        return None
    seconds, same_run = _seconds(document, [*ddim, ddpm])
    lines: list[tuple[list[str], Figures | None]] = []
    floor = cell(document, "headline/floor")
    if floor is not None:
        lines.append((["held-out data", measured(floor["frechet"], floor["spread"]), "–", "–"], floor))
    for row, time in zip([*ddim, ddpm], seconds, strict=True):
        _, more, spread = _above(row, ddpm)
        beside = (
            ["–", "–"] if row is ddpm else [f"{100 * more:+.0f} ± {100 * spread:.0f} %", number(seconds[-1] / time)]
        )
        named = [f"{tables.eta_name(row.eta)}, S = {row.S}", measured(row.frechet, row.spread)]
        lines.append(([*named, *beside], cell(document, f"headline/eta={row.eta}/S={row.S}")))
    each = [shares(figures or {}) for _, figures in lines]
    names = list(dict.fromkeys(name for found in each for name in found))
    body = [[*first, *(found.get(name, "–") for name in names)] for (first, _), found in zip(lines, each, strict=True)]
    head = ["", "Fréchet", "above DDPM", "times faster", *names]
    times = "one run" if same_run else "the cells themselves, not of one run"
    said = f"The cells that decide it, with n = {ddpm.n}; times are those of {times}."
    if names:
        said += " The shares are explained under Quality."
    return f"{said}\n\n{tables.table(head, body)}"

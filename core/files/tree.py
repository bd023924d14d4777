"""Branches as a picture: a row for each t at which they part, and their film, in which all rows come down together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import RequestError
from core.files.layout import Pictures
from core.files.legend import labelled
from core.reproduce import short
from core.request import Request


@dataclass(frozen=True)
class Row:
    """What came of one x_t. label: such as "t = 600". ends: its branches, K×H×W×3 uint8. film: (t, K×H×W×3) of each
    frame, from noise to the pictures, t falling and −1 at the end; a picture file does without."""

    label: str
    ends: Pictures
    film: Sequence[tuple[int, Pictures]] = ()

    def at(self, t: int) -> Pictures:
        """What is there when a clock that falls with t shows ``t``: the last frame reached, or the first to come."""
        reached = [pictures for frame_t, pictures in self.film if frame_t >= t]
        return reached[-1] if reached else self.film[0][1]


def row_of(request: Request, ends: Pictures, apart: float, film: Sequence[tuple[int, Pictures]] = ()) -> Row:
    """The row of a run with branches, which says its t and how much they differ (core.branches.spread)."""
    assert request.branches is not None
    return Row(f"t = {request.branches.at}" + (f"\nrms {apart:.3f}" if len(ends) > 1 else ""), ends, film)


def tree_note(request: Request, above: str = "") -> str:
    """What stands below the rows of such runs. above: how t was reached, where that was not the run's own way down."""
    s, branches = request.settings, request.branches
    assert branches is not None
    return (
        f"{above or f'down at η = {short(s.eta)}'} to t, then branches at η = {short(branches.eta)}; S = {s.steps}, "
        f"seed {request.seeds[0]}; rms: how much two branches differ, pixels 0 to 1"
    )


def tree_sheet(rows: Sequence[Row], note: str) -> NDArray[np.uint8]:
    """The ends, a row for each t: one H×W×3 picture."""
    return _page(rows, [row.ends for row in rows], note)


def tree_frames(rows: Sequence[Row], note: str) -> Pictures:
    """N×H×W×3: every row at the same t in each frame, which says it. Raises RequestError for rows without a film."""
    if not all(row.film for row in rows):
        raise RequestError("Of these branches no film was kept, only their ends: choose .png or .npy.")
    clock = [t for t, _ in max((row.film for row in rows), key=len)]
    return np.stack(
        [_page(rows, [row.at(t) for row in rows], note, f"t = {t}" if t >= 0 else "finished") for t in clock]
    )


def _page(rows: Sequence[Row], shown: Sequence[Pictures], note: str, corner: str = "") -> NDArray[np.uint8]:
    heads = [f"branch {k}" for k in range(len(shown[0]))]
    return labelled(np.stack(shown), heads, [row.label for row in rows], (), note, corner)

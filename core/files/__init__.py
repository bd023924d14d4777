"""The files that people take home: a function for each kind, from finished runs to the bytes of the suffix asked.

.png, .gif, .webp and .mp4 carry the record of their runs (core/record.py); .npy holds the images unrounded. The page,
the API, the command line, notebooks and docs all write through these.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.atomic import Content, write_atomically
from core.axes import Axis
from core.errors import RequestError
from core.files.captions import caption, captioned
from core.files.encoders import gif_bytes, npy_bytes, npy_writer, png_bytes, webp_bytes
from core.files.film import FRAME_MS, Runner, clock_frames
from core.files.layout import Pictures, beside, boomerang, enlarge
from core.files.legend import Legend, labelled
from core.files.mp4 import mp4_bytes
from core.files.tree import Row, tree_frames, tree_sheet
from core.pixels import sheet as tiled
from core.pixels import to_pixels
from core.record import Record, branches_record, grid_record, race_record, request_of

SUFFIXES = (".npy", ".png", ".gif", ".webp", ".mp4")
FILMS = {".gif": gif_bytes, ".webp": webp_bytes, ".mp4": mp4_bytes}
HOLD_MS, RACE_HOLD_MS = 1500, 2000  # how long a film stands at its end before it begins anew


@dataclass(frozen=True)
class Made:
    """A finished run, as its files need it. record: its JSON. pixels: N×H×W×3 uint8; images: (N, C, H, W) float32 on
    the CPU, unrounded. One of both is enough, but a .npy takes images."""

    record: Record
    pixels: Pictures | None = None
    images: Tensor | None = None

    @property
    def pictures(self) -> Pictures:
        """N×H×W×3 uint8."""
        if self.pixels is not None:
            return self.pixels
        return to_pixels(self.unrounded)

    @property
    def unrounded(self) -> Tensor:
        if self.images is None:
            raise RequestError("Of this run only pixels were kept, so it has no .npy: choose .png, .gif or .webp.")
        return self.images


def samples(
    suffix: str, made: Made, columns: int | None = None, side: int = 1, back: bool = False, words: bool = False,
    keys: Collection[int] = (),
) -> bytes:  # fmt: skip
    """.png: one sheet, ``columns`` wide or about square, its pictures enlarged to at least ``side`` pixels; .gif and
    .webp: the pictures one after another, and then ``back`` again, between ``words`` (core/files/captions.py) where
    asked, ``keys`` among them held; .npy. Raises RequestError for another suffix."""

    def film() -> Pictures:
        played = boomerang(made.pictures) if back else made.pictures
        return captioned(played, *caption(made.record)) if words else enlarge(played)

    count = len(made.pictures)
    held = {*keys, *(2 * count - 2 - key for key in keys if back and 0 < key < count - 1)}
    return _bytes(
        suffix,
        {
            ".npy": lambda: npy_bytes(made.unrounded),
            ".png": lambda: png_bytes(tiled(enlarge(made.pictures, side), columns), made.record),
            **_films(film, made.record, keys=held),
        },
    )


def strip(suffix: str, made: Made, side: int = 1, words: bool = False) -> bytes:
    """A path through seeds. .png: one row; .gif and .webp: there and back, but a loop comes back by itself, and with
    ``words`` around it the seeds' own pictures are held; .npy."""
    request = request_of(made.record)
    ends = len(request.seeds) if request.loop else len(request.seeds) - 1
    keys = {round(i * (request.count if request.loop else request.count - 1) / ends) for i in range(len(request.seeds))}
    return samples(suffix, made, request.count, side, not request.loop, words, keys if words else ())


def sheet(suffix: str, made: Made, side: int = 1) -> bytes:
    """What lies between four seeds, as square as it was asked for. .png, .gif, .webp (row by row), .npy."""
    return samples(suffix, made, request_of(made.record).sheet, side)


def trajectory(suffix: str, record: Record, x_t: Pictures, x0_hat: Pictures, words: bool = False) -> bytes:
    """One picture on its way, x_t beside x̂0 (F×H×W×3 each), holding its end, with ``words`` around it. .gif, .webp."""

    def film() -> Pictures:
        pair = beside(x_t, x0_hat)
        return captioned(pair, *caption(record)) if words else enlarge(pair)

    return _bytes(suffix, _films(film, record, hold_ms=HOLD_MS))


def journey(suffix: str, record: Record, x_t: Pictures, words: bool = False) -> bytes:
    """One picture on its way up to x_T and down again (F×H×W×3), holding its end, with ``words`` around it. record: of
    the way down. .gif, .webp, .mp4."""

    def film() -> Pictures:
        return captioned(x_t, *caption(record)) if words else enlarge(x_t)

    return _bytes(suffix, _films(film, record, hold_ms=HOLD_MS))


def race(
    suffix: str, runners: Sequence[Runner], runs: Sequence[Made], frame_ms: int = FRAME_MS, side: int = 168
) -> bytes:
    """Runs from one x_T. .gif, .webp: against their clocks, in frames of frame_ms; .png: their ends in a row; .npy."""
    record = race_record([made.record for made in runs])
    ends = np.concatenate([made.pictures for made in runs])
    films = _films(lambda: clock_frames(runners, frame_ms=frame_ms, at_least=side)[0], record, frame_ms, RACE_HOLD_MS)
    return _bytes(
        suffix,
        {
            ".npy": lambda: npy_bytes(torch.cat([made.unrounded for made in runs])),
            ".png": lambda: png_bytes(tiled(ends, len(ends)), record),
            **films,
        },
    )


def grid(suffix: str, cells: Sequence[Made], columns: Axis, rows: Axis, legend: Legend) -> bytes:
    """One setting across and another down. cells: one picture each, row by row. .png: with its legend; .npy."""
    record = grid_record([made.record for made in cells], columns, rows)

    def picture() -> bytes:
        shown = np.concatenate([made.pictures for made in cells])
        matrix = shown.reshape(len(rows.values), len(columns.values), *shown.shape[1:])
        return png_bytes(labelled(matrix, *legend), record)

    return _bytes(suffix, {".npy": lambda: npy_bytes(torch.cat([made.unrounded for made in cells])), ".png": picture})


def branches(suffix: str, runs: Sequence[Made], rows: Sequence[Row], note: str) -> bytes:
    """Runs whose branches part at a t of their own, a row each. note: the words under all. .png: their ends; .gif,
    .webp: all rows coming down together, which takes rows with a film; .npy: row by row."""
    record = branches_record([made.record for made in runs])
    return _bytes(
        suffix,
        {
            ".npy": lambda: npy_bytes(torch.cat([made.unrounded for made in runs])),
            ".png": lambda: png_bytes(tree_sheet(rows, note), record),
            **_films(lambda: tree_frames(rows, note), record, hold_ms=HOLD_MS),
        },
    )


def of_run(suffix: str, made: Made, columns: int | None = None, side: int = 1, back: bool = False) -> bytes:
    """Any one run, a path or branches in one row unless ``columns`` says otherwise; it plays ``back`` where asked."""
    request = request_of(made.record)
    row = request.count if request.branches is not None else request.frames
    return samples(suffix, made, columns or row, side, back)


def content(path: Path, made: Made, columns: int | None = None, back: bool = False) -> Content:
    """What ``save`` writes, for files that are written together. Raises RequestError for another suffix."""
    suffix = path.suffix.lower()
    # images of any size: the bytes of a .npy are never in memory beside them
    return npy_writer(made.unrounded) if suffix == ".npy" else of_run(suffix, made, columns, back=back)


def save(path: Path, made: Made, columns: int | None = None, back: bool = False) -> None:
    """Write a run by the path's suffix, as ``of_run`` says. Raises RequestError for another suffix."""
    write_atomically(path, content(path, made, columns, back))


Encoders = dict[str, Callable[[], bytes]]


def _films(
    frames: Callable[[], Pictures], record: Record, frame_ms: int = FRAME_MS, hold_ms: int = 0,
    keys: Collection[int] = (),
) -> Encoders:  # fmt: skip
    """The encoders of a film by suffix; its frames are made when one is called."""

    def film(suffix: str) -> Callable[[], bytes]:
        return lambda: FILMS[suffix](frames(), record, frame_ms, hold_ms, keys)

    return {suffix: film(suffix) for suffix in FILMS}


def _bytes(suffix: str, encoders: Encoders) -> bytes:
    if suffix not in encoders:
        *others, last = sorted(encoders, key=SUFFIXES.index)
        raise RequestError(f"This file ends in {', '.join(others)} or {last}, not in {suffix!r}: choose one of these.")
    return encoders[suffix]()

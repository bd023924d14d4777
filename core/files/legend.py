"""A matrix of pictures with its legend: words above its columns, left of its rows, under its cells and below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.errors import RequestError
from core.files.film import ACCENT, INK, PAPER, SOFT, font
from core.files.layout import enlarge

GAP, MARGIN, LEFT, TOP, UNDER, FOOT, LINE = 10, 12, 76, 34, 18, 26, 15


class Legend(NamedTuple):
    """What a grid says: above its columns, left of its rows, under each cell row by row, and below all."""

    across: Sequence[str]
    down: Sequence[str]
    under: Sequence[Sequence[str]]
    note: str


def labelled(
    cells: NDArray[np.uint8], across: Sequence[str], down: Sequence[str], under: Sequence[Sequence[str]], note: str,
    corner: str = "",
) -> NDArray[np.uint8]:  # fmt: skip
    """cells: rows × columns × H×W×3 uint8; under: a word below each, or none at all. Returns one H×W×3 picture: every
    cell enlarged by a whole number, ``across`` above each column, ``down`` (of one or more lines) left of each row,
    ``corner`` above these, ``note`` below.

    Raises RequestError where the shapes disagree.
    """
    shape = (len(down), len(across))
    fits = not under or (len(under) == shape[0] and all(len(row) == shape[1] for row in under))
    if cells.shape[:2] != shape or not fits or not all(shape):
        raise RequestError(f"A grid of {shape[0]} × {shape[1]} needs as many cells and times.")
    labels = [line for label in down for line in label.split("\n")]
    left = max(LEFT, *(math.ceil(font(13).getlength(line)) + 2 * MARGIN for line in labels))
    gap = GAP + (UNDER if under else 0)
    big = enlarge(cells.reshape(-1, *cells.shape[2:]), 112)
    side, width = big.shape[1], big.shape[2]
    whole = left + shape[1] * (width + GAP)
    lines = wrapped(note, whole - 2 * MARGIN)
    below = FOOT + LINE * (len(lines) - 1)
    page = Image.new("RGB", (whole, TOP + shape[0] * (side + gap) + below), PAPER)
    pen = ImageDraw.Draw(page)
    pen.text((MARGIN, 12), corner, ACCENT, font(13))
    for column, words_above in enumerate(across):
        pen.text((left + column * (width + GAP) + width / 2, 12), words_above, INK, font(13), anchor="ma")
    for row, label in enumerate(down):
        y = TOP + row * (side + gap)
        pen.text((left - MARGIN, y + side / 2), label, INK, font(13), anchor="rm", align="right")
        for column in range(shape[1]):
            x = left + column * (width + GAP)
            page.paste(Image.fromarray(big[row * shape[1] + column]), (x, y))
            if under:
                pen.text((x + width / 2, y + side + 3), under[row][column], SOFT, font(11), anchor="ma")
    for line, words in enumerate(lines):
        pen.text((MARGIN, page.height - FOOT - LINE * (len(lines) - 1) + 6 + line * LINE), words, SOFT, font(11))
    return np.asarray(page)


def wrapped(note: str, width: float) -> list[str]:
    """``note`` in lines of at most so many pixels, broken between words; a longer word has a line of its own."""
    lines = [""]
    for word in note.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if font(11).getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines

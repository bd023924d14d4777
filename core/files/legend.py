"""A matrix of pictures with its legend: S across, η down, and what each cell took."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.errors import RequestError
from core.files.film import INK, PAPER, SOFT, font
from core.files.layout import enlarge

GAP, MARGIN, LEFT, TOP, UNDER, FOOT, LINE = 10, 12, 76, 34, 18, 26, 15


def legend_sheet(
    cells: NDArray[np.uint8], steps: Sequence[int], etas: Sequence[float], times: Sequence[Sequence[str]], note: str
) -> NDArray[np.uint8]:
    """cells: rows (η) × columns (S) × H×W×3 uint8; times: a word under each. Returns one H×W×3 picture: every cell
    enlarged by a whole number, S above each column, η left of each row, ``note`` below.

    Raises RequestError where the shapes disagree.
    """
    shape = (len(etas), len(steps))
    labelled = len(times) == shape[0] and all(len(row) == shape[1] for row in times)
    if cells.shape[:2] != shape or not labelled or not all(shape):
        raise RequestError(f"A grid of {shape[0]} × {shape[1]} needs as many cells and times.")
    big = enlarge(cells.reshape(-1, *cells.shape[2:]), 112)
    side, width = big.shape[1], big.shape[2]
    across = LEFT + shape[1] * (width + GAP)
    lines = wrapped(note, across - 2 * MARGIN)
    below = FOOT + LINE * (len(lines) - 1)
    page = Image.new("RGB", (across, TOP + shape[0] * (side + UNDER + GAP) + below), PAPER)
    pen = ImageDraw.Draw(page)
    for column, S in enumerate(steps):
        pen.text((LEFT + column * (width + GAP) + width / 2, 12), f"S = {S}", INK, font(13), anchor="ma")
    for row, eta in enumerate(etas):
        y = TOP + row * (side + UNDER + GAP)
        pen.text((LEFT - 12, y + side / 2), f"η = {eta:g}", INK, font(13), anchor="rm")
        for column in range(shape[1]):
            x = LEFT + column * (width + GAP)
            page.paste(Image.fromarray(big[row * shape[1] + column]), (x, y))
            pen.text((x + width / 2, y + side + 3), times[row][column], SOFT, font(11), anchor="ma")
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

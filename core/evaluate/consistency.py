"""Consistency (paper §5.2): does x_T alone decide the picture, whatever S?

η = 0: S steps against T steps from the same x_T. η = 1: the same, with other step noise in the two runs, because
x_T is all they are to share. Both beside the distance between T-step samples of different x_T.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core import noise
from core.evaluate.cells import Cell, settings
from core.evaluate.parts import Part, load
from core.evaluate.setup import Setup
from core.train.datasets import UInt8Array

OTHER_NOISE = 1_000_000  # how far away the seeds of the other step noise begin


def _reference(setup: Setup, cell: Cell) -> list[Part]:
    return setup.drawn(cell.n, settings(setup.engine.T, cell.eta))


def _shortened(setup: Setup, cell: Cell) -> list[Part]:
    if cell.eta == "0":
        return setup.drawn(cell.n, cell.settings)
    shape = setup.engine.checkpoint.shape
    return setup.parts(
        f"eta={cell.eta}-S={cell.S}-other-noise",
        cell.n,
        cell.settings,
        lambda rows: noise.latents(setup.seeds(rows), shape),
        setup.seeds_from + OTHER_NOISE,
    )


def parts(setup: Setup, cell: Cell) -> list[Part]:
    return [*_shortened(setup, cell), *_reference(setup, cell)]


def rms(a: UInt8Array, b: UInt8Array) -> NDArray[np.float64]:
    """Root mean square difference of each pair of pictures, on [0,1]: (N,)."""
    difference = (a.astype(np.float64) - b) / 255
    return np.sqrt(np.square(difference).mean(axis=(1, 2, 3)))


def figures(setup: Setup, cell: Cell) -> dict[str, object]:
    """pixels, features: mean distance of a pair; _spread: its standard error; _unrelated: between neighbours' runs."""
    short, long = load(_shortened(setup, cell), "images"), load(_reference(setup, cell), "images")
    f_short, f_long = setup.measure(short), setup.measure(long)
    pairs = {
        "pixels": (rms(short, long), rms(long, np.roll(long, 1, axis=0))),
        "features": (
            np.linalg.norm(f_short - f_long, axis=1),
            np.linalg.norm(f_long - np.roll(f_long, 1, axis=0), axis=1),
        ),
    }
    found: dict[str, object] = {"n": cell.n}
    for name, (related, unrelated) in pairs.items():
        found[name] = float(related.mean())
        found[f"{name}_spread"] = float(related.std(ddof=1) / np.sqrt(len(related)))
        found[f"{name}_unrelated"] = float(unrelated.mean())
    return found

"""Consistency (paper §5.2): does x_T alone decide the picture, whatever S?

η = 0: S steps, of DDIM or of another solver of the same ODE, against DDIM's T steps from the same x_T. η = 1: the
same, with other step noise in the two runs, because x_T is all they are to share. All beside the distance between
T-step samples of different x_T.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core import noise
from core.data.datasets import UInt8Array
from core.evaluate.cells import Cell, settings
from core.evaluate.feature_net import FeatureNet
from core.evaluate.parts import Part, load
from core.evaluate.setup import Setup

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


def shared(a: UInt8Array, b: UInt8Array, net: FeatureNet) -> NDArray[np.float64]:
    """Share of the class attributes (the one class, or all parts of a face) that the feature net takes for the same in
    each pair of pictures: (N,)."""
    first, second = net.label_pixels(a), net.label_pixels(b)
    return np.mean([first[name] == second[name] for name in net.config.classes], axis=0, dtype=np.float64)


def figures(setup: Setup, cell: Cell) -> dict[str, object]:
    """pixels, features: mean distance of a pair; same: mean share of equal attributes (where the net knows any), which
    sees a face with other hair where a mean of pixels does not. _spread: the standard error; _unrelated: between
    neighbours' runs."""
    short, long = load(_shortened(setup, cell), "images"), load(_reference(setup, cell), "images")
    f_short, f_long, other = setup.measure(short), setup.measure(long), np.roll(long, 1, axis=0)
    net = setup.need_net()
    pairs = {
        "pixels": (rms(short, long), rms(long, other)),
        "features": (
            np.linalg.norm(f_short - f_long, axis=1),
            np.linalg.norm(f_long - np.roll(f_long, 1, axis=0), axis=1),
        ),
    }
    if net.config.classes:
        pairs["same"] = (shared(short, long, net), shared(long, other, net))
    found: dict[str, object] = {"n": cell.n}
    for name, (related, unrelated) in pairs.items():
        found[name] = float(related.mean())
        found[f"{name}_spread"] = float(related.std(ddof=1) / np.sqrt(len(related)))
        found[f"{name}_unrelated"] = float(unrelated.mean())
    return found

"""Interpolation (paper §5.3): are pictures between two others good pictures, and is the way there smooth?

Pair i is seeds i and i + 1, the last one closing the ring: n pairs from n seeds, each seed at two ends.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core import noise
from core.data.datasets import UInt8Array
from core.evaluate.cells import FRAMES, Cell
from core.evaluate.courses import attribute_courses, smoothness
from core.evaluate.parts import Part, load
from core.evaluate.setup import Setup
from core.latents import slerp

Between = Callable[[Tensor, Tensor, float], Tensor]
BETWEEN: dict[str, Between] = {"slerp": slerp, "lerp": torch.lerp}


def _ends(setup: Setup, cell: Cell) -> list[Part]:
    return setup.drawn(cell.n, cell.settings)


def _made(setup: Setup, cell: Cell, count: int, weights: list[float], name: str) -> list[Part]:
    """Pictures at these weights between the latents of each of the first ``count`` pairs."""
    between, shape = BETWEEN[cell.way], setup.engine.checkpoint.shape

    def latents(rows: range) -> Tensor:
        keys = noise.latents(setup.seeds(range(rows.start, rows.stop + 1)), shape)
        if rows.stop == cell.n:
            keys[-1] = noise.latents(setup.seeds(range(1)), shape)[0]
        return torch.stack([between(keys[i], keys[i + 1], w) for i in range(len(rows)) for w in weights])

    name = f"{cell.way}-{name}-of-{cell.n}-S={cell.S}"
    return setup.parts(name, count, cell.settings, latents, frames=len(weights))


def _middles(setup: Setup, cell: Cell) -> list[Part]:
    return _made(setup, cell, cell.n, [0.5], "middles")


def _paths(setup: Setup, cell: Cell) -> list[Part]:
    weights = [frame / (FRAMES - 1) for frame in range(FRAMES)]
    return _made(setup, cell, setup.paths(cell.n), weights, f"paths-{FRAMES}")


def parts(setup: Setup, cell: Cell) -> list[Part]:
    ends = _ends(setup, cell)
    return ends if cell.way == "crossfade" else [*_middles(setup, cell), *_paths(setup, cell), *ends]


def crossfade(a: UInt8Array, b: UInt8Array, w: float) -> UInt8Array:
    """(1−w)·a + w·b in pixel values, rounded."""
    mixed: NDArray[np.float64] = (1 - w) * a.astype(np.float64) + w * b.astype(np.float64)
    return np.rint(mixed).astype(np.uint8)


def pictures(setup: Setup, cell: Cell) -> tuple[UInt8Array, UInt8Array]:
    """(midpoints n×C×H×W, paths followed×FRAMES×C×H×W)."""
    followed = setup.paths(cell.n)
    if cell.way != "crossfade":
        strips = load(_paths(setup, cell), "images")
        return load(_middles(setup, cell), "images"), strips.reshape(followed, FRAMES, *strips.shape[1:])
    a = load(_ends(setup, cell), "images")
    b = np.roll(a, -1, axis=0)
    weights = [frame / (FRAMES - 1) for frame in range(FRAMES)]
    return crossfade(a, b, 0.5), np.stack([crossfade(a[:followed], b[:followed], w) for w in weights], axis=1)


def figures(setup: Setup, cell: Cell) -> dict[str, object]:
    """Distances of the midpoints, of the ends (frechet_ends, same n), and the course of the paths between them."""
    middles, strips = pictures(setup, cell)
    frames = strips.reshape(-1, *strips.shape[2:])
    features = setup.measure(frames).reshape(len(strips), FRAMES, -1)
    ends = setup.ruler.distances(setup.measure(load(_ends(setup, cell), "images")))
    return setup.ruler.distances(setup.measure(middles)) | {
        "n": cell.n,
        "frechet_ends": ends["frechet"],
        "spread_ends": ends["spread"],
        "paths": len(strips),
        "frames": FRAMES,
        **smoothness(features),
        "attributes": attribute_courses(setup.need_net(), frames, FRAMES),
    }

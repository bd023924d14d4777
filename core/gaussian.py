"""How much a latent looks like the noise that a seed would have drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

EDGE, BINS = 4.0, 40  # the histogram reaches from −4 to 4; what lies beyond is counted in its outermost bins


@dataclass(frozen=True)
class Gaussianness:
    """Of the n values of one latent. mean, std: 0 and 1 for noise, give or take 1/√n and 1/√(2n). neighbours: the
    correlation of values side by side or one below the other, 0 for noise, give or take 1/√(2n). counts: of BINS
    equal bins from −EDGE to EDGE."""

    n: int
    mean: float
    std: float
    neighbours: float
    counts: NDArray[np.int64]

    @property
    def expected(self) -> NDArray[np.float64]:
        """What each bin would count of n normal values."""
        edges = np.linspace(-EDGE, EDGE, BINS + 1)
        edges[0], edges[-1] = -np.inf, np.inf
        below = np.array([0.5 * (1 + math.erf(edge / math.sqrt(2))) for edge in edges])
        return self.n * np.diff(below)


def gaussianness(x_T: Tensor) -> Gaussianness:
    """Of one latent (C, H, W). Its neighbours are those of one channel."""
    x = x_T.double().cpu().numpy()
    counts, _ = np.histogram(x.clip(-EDGE, np.nextafter(EDGE, 0)), bins=BINS, range=(-EDGE, EDGE))
    centred = x - x.mean()
    pairs = (centred[:, :, 1:] * centred[:, :, :-1], centred[:, 1:] * centred[:, :-1])
    variance = float(np.square(centred).mean())
    covariance = sum(float(pair.sum()) for pair in pairs) / max(1, sum(pair.size for pair in pairs))
    return Gaussianness(
        x.size, float(x.mean()), math.sqrt(variance), covariance / variance if variance else 0.0, counts
    )

"""How far two sets of pictures are apart, in the features of a small net. Never to be called FID."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.errors import RequestError

FloatArray = NDArray[np.float64]


def frechet(a: FloatArray, b: FloatArray) -> float:
    """Squared Fréchet distance of the Gaussians fitted to a (N,D) and b (M,D): |μ−ν|² + tr(A + B − 2(AB)^½).

    Biased upward for small N by about (tr A)·D/N-ish terms: compare figures of one N only. Needs N > D and M > D,
    else RequestError, because a covariance of fewer pictures is singular.
    """
    for x in (a, b):
        if x.shape[0] <= x.shape[1]:
            raise RequestError(f"{x.shape[0]} pictures cannot fill {x.shape[1]} dimensions: take more than that.")
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    values, vectors = np.linalg.eigh(cov_a)
    root_a = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    # A½ B A½ is symmetric and has the eigenvalues of AB: no square root of an unsymmetric matrix is needed
    cross = np.sqrt(np.linalg.eigvalsh(root_a @ cov_b @ root_a).clip(min=0)).sum()
    gap = a.mean(axis=0) - b.mean(axis=0)
    return float(gap @ gap + np.trace(cov_a) + np.trace(cov_b) - 2 * cross)


def kernel_distance(a: FloatArray, b: FloatArray) -> float:
    """Unbiased squared MMD with the kernel (x·y/D + 1)³ (Bińkowski et al. 2018, "KID"), in our features.

    Unbiased, so it may be slightly negative where the sets are alike.
    """
    n, m, d = len(a), len(b), a.shape[1]
    if n < 2 or m < 2:
        raise RequestError("A kernel distance needs two pictures on each side.")

    def kernel(x: FloatArray, y: FloatArray) -> FloatArray:
        return (x @ y.T / d + 1) ** 3

    own_a, own_b = kernel(a, a), kernel(b, b)
    within = (own_a.sum() - np.trace(own_a)) / (n * (n - 1)) + (own_b.sum() - np.trace(own_b)) / (m * (m - 1))
    return float(within - 2 * kernel(a, b).mean())


def bootstrap_spread(
    distance: Callable[[FloatArray, FloatArray], float], a: FloatArray, b: FloatArray, rounds: int = 100, seed: int = 0
) -> float:
    """Standard deviation of distance(a*, b) over resamples a* of a with replacement: the spread that comes from
    having drawn these pictures and not others. (The mean of the resamples is biased; only the spread is used.)"""
    rng = np.random.default_rng(seed)
    values = [distance(a[rng.integers(len(a), size=len(a))], b) for _ in range(rounds)]
    return float(np.std(values, ddof=1))

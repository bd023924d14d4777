"""Distances of a set of features to a fixed reference, with the spread that comes from the set's own draw."""

from __future__ import annotations

import numpy as np

from core.evaluate.distances import FloatArray, bootstrap_spread, frechet

ROUNDS = 100
BLOCK = 1000


def kernel(x: FloatArray, y: FloatArray) -> FloatArray:
    """(x·y/D + 1)³, as in distances.kernel_distance."""
    return (x @ y.T / x.shape[1] + 1) ** 3


class Ruler:
    """reference: features (M,D). What depends on it alone is computed once: thousands of rows fit in memory."""

    def __init__(self, reference: FloatArray) -> None:
        self.reference = reference
        blocks = [reference[i : i + BLOCK] for i in range(0, len(reference), BLOCK)]
        total = sum(float(kernel(block, reference).sum()) for block in blocks)
        own = float(((np.einsum("nd,nd->n", reference, reference) / reference.shape[1] + 1) ** 3).sum())
        self._within = (total - own) / (len(reference) * (len(reference) - 1))
        self._blocks = blocks

    def kernel(self, features: FloatArray, rounds: int = ROUNDS, seed: int = 0) -> tuple[float, float]:
        """(distances.kernel_distance to the reference, its bootstrap spread over the rows of ``features``)."""
        n = len(features)
        own = kernel(features, features)
        diagonal = own.diagonal()
        cross = sum(kernel(features, block).sum(axis=1) for block in self._blocks) / len(self.reference)

        def distance(counts: FloatArray) -> float:  # how often each row is taken; n in all
            pairs = float(counts @ own @ counts - counts @ diagonal)
            return pairs / (n * (n - 1)) + self._within - 2 * float(counts @ cross) / n

        rng = np.random.default_rng(seed)
        draws = [np.bincount(rng.integers(n, size=n), minlength=n).astype(np.float64) for _ in range(rounds)]
        return distance(np.ones(n)), float(np.std([distance(draw) for draw in draws], ddof=1))

    def distances(self, features: FloatArray) -> dict[str, object]:
        """frechet, spread, kid, kid_spread of features (N,D) to the reference. Raises RequestError for N ≤ D."""
        kid, kid_spread = self.kernel(features)
        return {
            "frechet": frechet(features, self.reference),
            "spread": bootstrap_spread(frechet, features, self.reference, ROUNDS),
            "kid": kid,
            "kid_spread": kid_spread,
        }

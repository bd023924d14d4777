"""What docs/results.md says of "±": how wide the bootstrap is beside the spread of sets that are really drawn anew."""

import numpy as np
import pytest

from core.evaluate.distances import bootstrap_spread, frechet

N, D, DRAWS = 256, 64, 60


def normal(rng, n=N, shift=0.0):
    return rng.normal(shift, 1.0, (n, D))


def midpoints(rng, shift):
    """Half-way between neighbours of a ring of latents: each latent is an end of two pairs."""
    keys = normal(rng)
    return (keys + np.roll(keys, -1, axis=0)) / np.sqrt(2) + shift


@pytest.mark.parametrize(
    ("draw", "shift", "low", "high"),
    [(normal, 0.0, 1.5, 3.0), (normal, 1.0, 0.8, 1.25), (midpoints, 1.0, 0.6, 0.85)],
    ids=["near the floor it is too wide", "far from it, right", "of midpoints it is too narrow"],
)
def test_the_bootstraps_width_by_the_true_one(draw, shift, low, high):
    rng = np.random.default_rng(0)
    reference = normal(rng, 4000)
    sets = [draw(rng, shift=shift) for _ in range(DRAWS)]
    true = np.std([frechet(x, reference) for x in sets], ddof=1)
    said = np.mean([bootstrap_spread(frechet, x, reference, 40) for x in sets[:3]])
    assert low < said / true < high

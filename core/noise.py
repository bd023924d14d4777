"""Noise from seeds: picture i depends on its own seed and the step alone.

Drawn on the CPU by a counter-based generator, in float32, so that it is the same bit for bit alone or
in any batch, at any position, for any η, on any device.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

_LATENT = 0  # stream 0 is x_T; stream n ≥ 1 is the noise added when leaving time n


def _normal(seed: int, stream: int, shape: tuple[int, int, int], branch: int | None = None) -> np.ndarray:
    spawned = () if branch is None else (branch,)  # a child of the stream, which is none of the streams themselves
    philox = np.random.Philox(np.random.SeedSequence([seed, stream], spawn_key=spawned))
    return np.random.Generator(philox).standard_normal(shape, dtype=np.float32)


def latents(seeds: Sequence[int], shape: tuple[int, int, int]) -> Tensor:
    """x_T ~ N(0, I), one for each seed: (N, C, H, W) float32 on the CPU."""
    return torch.from_numpy(np.stack([_normal(s, _LATENT, shape) for s in seeds]))


def step_noise(seeds: Sequence[int], t: int, shape: tuple[int, int, int]) -> Tensor:
    """z ~ N(0, I) for the step that leaves network index t: (N, C, H, W) float32 on the CPU.

    Keyed by t, not by the position in the step list, so runs of different S share it where they meet.
    """
    return torch.from_numpy(np.stack([_normal(s, t + 1, shape) for s in seeds]))


def branch_noise(seed: int, branches: Sequence[int], t: int, shape: tuple[int, int, int]) -> Tensor:
    """z ~ N(0, I) that each branch of a seed adds at the step that leaves network index t: (N, C, H, W) float32 on the
    CPU. Keyed by (seed, branch, t) and not by where the branches begin: those of two x_t share it where they meet."""
    return torch.from_numpy(np.stack([_normal(seed, t + 1, shape, k) for k in branches]))

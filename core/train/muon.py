"""Muon (Jordan et al. 2024): steps along the nearest orthogonal matrix of the momentum, for weights that are matrices.

Every direction that a matrix can turn is learned at the same pace, where Adam follows the few that dominate the
gradient. torch.optim.Muon takes two dimensions only and computes in bfloat16, which processors without it emulate; the
tests hold this one against it.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from core.parallel import Share

OPTIMIZERS = ("adam", "muon")
SMALLEST = 8  # rows and columns: a last layer has one a channel; the nearest orthogonal of one row is its direction
QUINTIC = (3.4445, -4.7750, 2.0315)  # Jordan's: singular values go to about 1 (0.7 to 1.2) in five turns
TURNS = 5


def is_matrix(weights: Tensor) -> bool:
    """Whether Muon is for these weights: (out, in) or a convolution's (out, in, height, width), not biases or norms."""
    return weights.ndim >= 2 and min(weights.shape[0], weights[0].numel()) >= SMALLEST


def orthogonal(matrix: Tensor) -> Tensor:
    """About U Vᵀ of the matrix (M×N) U Σ Vᵀ, by Newton and Schulz's iteration."""
    a, b, c = QUINTIC
    x = matrix / matrix.norm().clamp_min(1e-7)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(TURNS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x


class Muon(Optimizer):
    """lr: as Adam's; an update has the root mean square of a typical one of Adam's, 0.2 lr (Liu et al. 2025).
    momentum: of Nesterov's kind. share: of several processes each makes some of the updates and sends them to the
    others, so that none is made twice and all take the same step, also on processors that round differently."""

    def __init__(
        self, matrices: Iterable[Parameter], lr: float, momentum: float = 0.95, share: Share | None = None
    ) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum})
        self.share = share or Share()

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # nothing here asks for a closure
        for group in self.param_groups:
            learning = [weights for weights in group["params"] if weights.grad is not None]
            updates = []
            for i, weights in enumerate(learning):
                state = self.state[weights]
                if not state:
                    state["momentum"] = torch.zeros_like(weights)
                mean = state["momentum"]
                mean.lerp_(weights.grad, 1 - group["momentum"])
                ahead = weights.grad.lerp(mean, group["momentum"]).flatten(1)
                updates.append((orthogonal(ahead) if self.share.makes(i) else ahead).contiguous())
            for i, (weights, update) in enumerate(zip(learning, updates, strict=True)):
                self.share.send(update, i)
                weights.add_(update.reshape(weights.shape), alpha=-group["lr"] * 0.2 * max(update.shape) ** 0.5)

"""Which errors count how much: the levels of noise, and the image's coarse colours beside its pixels.

The objective stays DDPM's, E ‖ε − ε_θ‖² with t uniform (or that of v, core/train/objective.py). Its minimiser
E[ε | x_t] is the same in every positive-definite metric and under every positive weight of t; only how soon a
finite net gets there changes.
Plain, the mean over pixels of the error (which decides a sample's colours, at high t) is worth a few parts
in ten thousand of the loss, and the loss of small t outweighs that of large t a hundredfold. So each level's
error may be divided by a power of its own running mean (1: as EDM2's learned weights do; Karras et al. 2024,
eq. 21), and the error's averages over blocks weighed in beside it (the multiscale loss of Hoogeboom et al. 2023).
For young nets both are worse than the plain objective (measured: docs/training.md), so both default to 0.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

BINS = 20
MOMENTUM = 0.02


class Balance:
    """Running mean of the squared error in BINS bins of t, at each scale: 1 pixel, blocks of 8, the whole image.

    power: of the mean by which a level is divided, 0..1. coarse: the share of each coarse scale, 0 or more.
    """

    def __init__(self, T: int, size: int, device: torch.device, power: float, coarse: float) -> None:
        self.power, self.coarse = power, coarse
        self.T = T
        self.scales = tuple(k for k in (1, 8, size) if size % k == 0)
        self.mean = torch.zeros(len(self.scales), BINS, device=device)
        self.seen = torch.zeros(BINS, device=device)

    def __call__(self, error: Tensor, t: Tensor) -> Tensor:
        """Weighted mean of error² (B,C,H,W) at the 0-based steps t (B,). Updates the running means first, so
        that no error is divided by what came before the first of its level."""
        per_scale = torch.stack([F.avg_pool2d(error, k).square().mean(dim=(1, 2, 3)) for k in self.scales])
        bins = t * BINS // self.T
        self._update(per_scale.detach(), bins)
        size = self.mean[0][self.seen > 0].mean()  # of the plain loss, so that the parts keep their proportion
        levels = (size / self.mean[0, bins]) ** self.power
        coarse = (per_scale[1:] / self.mean[1:, bins]).sum(dim=0)
        return (levels * per_scale[0] + self.coarse * size * coarse).mean()

    def _update(self, per_scale: Tensor, bins: Tensor) -> None:
        total = torch.zeros_like(self.mean).index_add_(1, bins, per_scale)
        count = torch.zeros_like(self.seen).index_add_(0, bins, torch.ones_like(bins, dtype=torch.float32))
        if dist.is_initialized():  # every process must weigh alike
            dist.all_reduce(total)
            dist.all_reduce(count)
        new = total / count.clamp(min=1)
        # a plain mean of the first few, an exponential one from then on; per step, so that no bin outruns another
        momentum = torch.where(count > 0, torch.maximum(1 / (self.seen + 1), torch.full_like(count, MOMENTUM)), 0.0)
        self.mean = torch.lerp(self.mean, new, momentum.expand_as(new))
        self.seen = self.seen + (count > 0)

    def state_dict(self) -> dict[str, Tensor]:
        return {"mean": self.mean, "seen": self.seen}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.mean, self.seen = state["mean"].to(self.mean.device), state["seen"].to(self.seen.device)

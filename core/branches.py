"""Several ways down from one x_t: what was still open at t, and what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from core.plain_numbers import real, whole

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Branches:
    """Where a run divides.

    at: a network index t of the step list; down to x_t there is one trunk, which all branches share. count: how many
    come down from it. eta: η in [0, 1] of the branches, each with noise of its own; at 0 they are all one. With every
    step and η = 1 they are draws from q(x_0 | x_t), as far as the network knows it.
    """

    at: int
    count: int = 6
    eta: float = 1.0

    def __post_init__(self) -> None:
        keep = partial(object.__setattr__, self)
        keep("at", whole(self.at, "Branches begin at a t of the step list, a whole number of at least 0", 0))
        keep("count", whole(self.count, "The number of branches must be a whole number of at least 1", 1))
        keep("eta", real(self.eta, "The eta of branches must lie between 0 (all alike) and 1 (DDPM)", 0, 1))


def spread(images: Tensor) -> float:
    """How much branches (K, C, H, W) in [−1, 1] differ: the root mean square difference between two of them, over all
    pairs and pixels, on [0, 1]. It is √2 times their standard deviation; 0 for a single one."""
    x = images.clamp(-1, 1) / 2
    return float((2 * x.var(dim=0)).mean().sqrt()) if len(x) > 1 else 0.0

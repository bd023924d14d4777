"""What is kept of a run to be looked at: a bounded number of 8-bit frames, whatever S is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.pixels import to_pixels
from core.sampler import Step

MAX_FRAMES = 40


def kept_steps(S: int, frames: int = MAX_FRAMES) -> tuple[int, ...]:
    """Indices 0..S−1 to keep: all, or ``frames`` of them evenly spread with both ends."""
    return tuple(int(i) for i in np.unique(np.linspace(0, S - 1, min(S, frames)).round()))


@dataclass(frozen=True)
class Frame:
    """A step of a run, or its end. t: the network index asked, or −1 for the finished picture; x_t and x0_hat:
    N×H×W×3 uint8 (at the end both are the picture); reached_s, elapsed_s: sampler time when x_t was there (0 for
    x_T) and, a step later, x0_hat; at the end both are the run's."""

    index: int
    t: int
    x_t: NDArray[np.uint8]
    x0_hat: NDArray[np.uint8]
    reached_s: float
    elapsed_s: float


@dataclass
class Trajectory:
    """A consumer of steps: ``add`` each in turn, and read ``frames``. At most MAX_FRAMES + 1 are held."""

    S: int
    frames: list[Frame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._kept = frozenset(kept_steps(self.S))
        self._reached_s = 0.0  # when the step before ended, kept or not: its x_next is this step's x_t

    def add(self, step: Step) -> Frame | None:
        """Keep the step if it is one of those kept; the last step adds the finished picture too."""
        kept = None
        if step.index in self._kept:
            x_t, x0_hat = to_pixels(step.x_t), to_pixels(step.x0_hat)
            kept = Frame(step.index, step.t, x_t, x0_hat, self._reached_s, step.elapsed_s)
            self.frames.append(kept)
        if step.index == self.S - 1:
            picture = to_pixels(step.x_next)
            kept = Frame(self.S, -1, picture, picture, step.elapsed_s, step.elapsed_s)
            self.frames.append(kept)
        self._reached_s = step.elapsed_s
        return kept

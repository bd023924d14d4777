"""The one loop: a generator that walks a plan from x_T to the picture, a network call and a solver's step at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core.clock import Clock, make_clock
from core.errors import NetworkError
from core.prediction import estimate
from core.solvers import PlannedStep, Solver
from core.solvers.ddim import DDIM, StepCoefficients

Network = Callable[[Tensor, int], Tensor]
"""(x_t (N, C, H, W), network index t) → prediction of the same shape."""


@dataclass(frozen=True)
class Step:
    """One step taken. Tensors are (N, C, H, W) on the network's device and are not reused.

    index: 0..S−1. t: the network index asked. x_t: what the network saw. x0_hat: its x̂0 (clipped if
    clipping). x_next: where the step landed; the last one is the picture. elapsed_s: time spent
    inside the sampler so far, of which network_s in the network. On a GPU both cover the finished
    steps only (up to two are in flight) until the last step, where they are exact.
    """

    index: int
    t: int
    x_t: Tensor
    x0_hat: Tensor
    x_next: Tensor
    elapsed_s: float
    network_s: float


def ddim_step(
    x_t: Tensor,
    out: Tensor,
    c: StepCoefficients,
    z: Tensor | None = None,
    prediction_type: str = "epsilon",
    clip_range: float | None = None,
) -> tuple[Tensor, Tensor]:
    """(x_next, x̂0) of one step of DDIM (paper eq. 12), from the network's answer ``out``. All tensors (N, C, H, W);
    z ~ N(0, I) is needed where c.noise > 0."""
    x0_hat, eps = estimate(x_t, out, c, prediction_type, clip_range)
    return DDIM().step(x_t, x0_hat, eps, c, z)[0], x0_hat


@torch.inference_mode()  # the decorator, not a with-block: a block around a yield leaks into the consumer
def walk(
    network: Network,
    x_T: Tensor,
    plan: Sequence[PlannedStep],
    noise: Callable[[int], Tensor],
    prediction_type: str = "epsilon",
    clip_range: float | None = None,
    solver: Solver | None = None,
    clock: Clock | None = None,
) -> Generator[Step, None, None]:
    """Yield one Step for each entry of the plan, from x_T (N, C, H, W) to the picture.

    noise(t) gives z of x_T's shape, on any device; it is asked for only where noise is added. solver: whose plan it
    is; DDIM where none is given. clock: one that goes on from earlier walks.
    Closing the generator stops the run; no step is started unasked. Raises NetworkError when the
    network returns NaN, infinity or another shape.
    """
    by: Solver = solver or DDIM()
    clock = clock or make_clock(x_T.device)
    x, memory = x_T, None
    for index, c in enumerate(plan):
        clock.start()
        out = network(x, c.t)
        clock.network_done()
        if out.shape != x.shape:
            raise NetworkError(
                f"The network returned {tuple(out.shape)} for {tuple(x.shape)}: "
                "check in_channels and out_channels in config.json."
            )
        z = noise(c.t).to(x.device, non_blocking=True) if c.noise > 0 else None
        x0_hat, eps = estimate(x, out, c, prediction_type, clip_range)
        x_next, memory = by.step(x, x0_hat, eps, c, z, memory)
        elapsed_s, network_s = clock.stop(torch.isfinite(out).all(), c.t, last=index + 1 == len(plan))
        yield Step(index, c.t, x, x0_hat, x_next, elapsed_s, network_s)
        x = x_next

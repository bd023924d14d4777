"""From a picture to its latent: the ODE of η = 0, run upward (paper eq. 13 and §5.4).

A step down maps x_n to x_n' = √ᾱ_n' x̂0 + √(1−ᾱ_n') ε(x_n, t), which is linear in x_n and ε:
    x_n = (x_n' − k ε(x_n, t)) · √ᾱ_n / √ᾱ_n',    k = √(1−ᾱ_n') − √(1−ᾱ_n) · √ᾱ_n' / √ᾱ_n
The unknown x_n stands on both sides. The plain inversion asks the network at x_n' instead, with the target's
t; each refinement asks again at the x_n just found. That converges only where the map contracts, and a step
that does not can throw a picture to another mode. So a picture goes on only while each correction is at most a
third of the one before (measured on two sharp modes in tests/test_inversion.py: without this, refinement at
S = 30 quadruples the error).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from core.errors import NetworkError, RequestError
from core.prediction import predict
from core.sampler import Network
from core.solvers.ddim import StepCoefficients

CONTRACTS = 1 / 3


@dataclass(frozen=True)
class Inversion:
    """x_T: the latents (N,C,H,W). evaluations: network calls. held_back: share of (picture, step) pairs whose
    refinement ended early: it did not contract, or nothing was left to correct."""

    x_T: Tensor  # noqa: N815  # the field's name
    evaluations: int
    held_back: float


def step_up(x_next: Tensor, eps: Tensor, c: StepCoefficients) -> Tensor:
    """The x_n (N,C,H,W) from which a deterministic step with this ε leads to x_next."""
    k = c.direction - c.spread * c.signal_next / c.signal
    return (x_next - k * eps) * (c.signal / c.signal_next)


def rms(x: Tensor) -> Tensor:
    """Root mean square of each picture: (N,1,1,1)."""
    return x.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()


@torch.inference_mode()
def inverting(
    network: Network,
    images: Tensor,
    plan: Sequence[StepCoefficients],
    prediction_type: str = "epsilon",
    refine: int = 0,
) -> Generator[Tensor, None, Inversion]:
    """Latents of images (N,C,H,W) in [−1,1], through the step list of ``plan`` from its end to its start; yields the
    x_t that each step up has found.

    Nothing is clipped: clipping cannot be undone. refine ≥ 0 fixed-point iterations a step, one network call
    each, ended for a picture whose corrections do not shrink. Raises RequestError for η > 0 or refine < 0, NetworkError
    when the network returns NaN or infinity.
    """
    if any(c.noise > 0 for c in plan):
        raise RequestError("Only η = 0 can be inverted: with noise the way back is not unique. Set eta to 0.")
    if refine < 0:
        raise RequestError(f"refine must be 0 or more, not {refine}.")
    x, evaluations, held_back = images, 0, 0.0

    def found_with(at: Tensor, below: Tensor, c: StepCoefficients) -> Tensor:
        nonlocal evaluations
        _, eps = predict(at, network(at, c.t), c, prediction_type)
        evaluations += 1
        return step_up(below, eps, c)

    for c in reversed(plan):
        below = x
        x = found_with(below, below, c)
        correction = rms(x - below * (c.signal / c.signal_next))
        going = torch.ones_like(correction, dtype=torch.bool)
        for _ in range(refine):
            again = found_with(x, below, c)
            change = rms(again - x)
            going = going & (change <= CONTRACTS * correction)
            x, correction = torch.where(going, again, x), torch.where(going, change, correction)
            if not bool(going.any()):
                break
        held_back += float((~going).float().mean()) / len(plan)
        if not bool(torch.isfinite(x).all()):
            raise NetworkError(f"The network returned NaN or infinity at t = {c.t}: use --precision fp32.")
        yield x
    return Inversion(x, evaluations, held_back)


def run_through(
    steps: Generator[Tensor, None, Inversion], on_step: Callable[[Tensor], None] | None = None
) -> Inversion:
    """The end of ``inverting``, or of the engine's ``encoding``."""
    while True:
        try:
            x_t = next(steps)
        except StopIteration as end:
            return cast(Inversion, end.value)
        if on_step is not None:
            on_step(x_t)

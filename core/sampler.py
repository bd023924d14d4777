"""The generative process: one pure step, and a generator that walks a step list.

Paper eq. 12, from time n (network index t = n − 1) to the next time n' in the list:
    x_n' = √ᾱ_n' · x̂0 + √(1 − ᾱ_n' − σ²) · ε + σ · z
    σ    = η · √((1 − ᾱ_n')/(1 − ᾱ_n)) · √(1 − ᾱ_n/ᾱ_n')                    (eq. 16)
After the last entry n' = 0, ᾱ = 1: σ is 0 for every η and the picture is x̂0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core.clock import make_clock
from core.errors import NetworkError, RequestError
from core.schedule import NoiseSchedule

Network = Callable[[Tensor, int], Tensor]
"""(x_t (N, C, H, W), network index t) → prediction of the same shape."""


@dataclass(frozen=True)
class StepCoefficients:
    """The scalars of one step, computed in float64. ``noise`` is 0 on the last step, whatever η."""

    t: int
    signal: float  # √ᾱ_n
    spread: float  # √(1 − ᾱ_n)
    signal_next: float  # √ᾱ_n'
    direction: float  # √(1 − ᾱ_n' − σ²)
    noise: float  # σ, or σ̂


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


def coefficients(
    schedule: NoiseSchedule, timesteps: Sequence[int], eta: float, sigma_hat: bool = False
) -> list[StepCoefficients]:
    """The scalars of each step of a falling list of network indices.

    eta in [0, 1], else RequestError. With sigma_hat the noise is √(1 − ᾱ_n/ᾱ_n') while the direction
    keeps σ(η = 1): the larger-variance DDPM of App. D.3.
    """
    if not 0 <= eta <= 1:
        raise RequestError(f"eta must lie between 0 (DDIM) and 1 (DDPM), not {eta}.")
    eta = 1.0 if sigma_hat else eta
    plan = []
    for i, t in enumerate(timesteps):
        n, n_next = t + 1, (timesteps[i + 1] + 1 if i + 1 < len(timesteps) else 0)  # indices become times here
        a, a_next = float(schedule.alpha_bar[n]), float(schedule.alpha_bar[n_next])
        jump = 1 - a / a_next
        sigma = eta * math.sqrt((1 - a_next) / (1 - a) * jump)
        plan.append(
            StepCoefficients(
                t=t,
                signal=math.sqrt(a),
                spread=math.sqrt(1 - a),
                signal_next=math.sqrt(a_next),
                direction=math.sqrt(max(0.0, 1 - a_next - sigma * sigma)),
                noise=0.0 if n_next == 0 else (math.sqrt(jump) if sigma_hat else sigma),
            )
        )
    return plan


def predict(x_t: Tensor, out: Tensor, c: StepCoefficients, prediction_type: str) -> tuple[Tensor, Tensor]:
    """(x̂0, ε) from a prediction of ε ("epsilon"), x0 ("sample") or v = √ᾱ ε − √(1−ᾱ) x0 ("v_prediction")."""
    if prediction_type == "epsilon":
        return (x_t - c.spread * out) / c.signal, out
    if prediction_type == "sample":
        return out, (x_t - c.signal * out) / c.spread
    if prediction_type == "v_prediction":
        return c.signal * x_t - c.spread * out, c.signal * out + c.spread * x_t
    raise RequestError(f"prediction_type must be epsilon, sample or v_prediction, not {prediction_type!r}.")


def ddim_step(
    x_t: Tensor,
    out: Tensor,
    c: StepCoefficients,
    z: Tensor | None = None,
    prediction_type: str = "epsilon",
    clip_range: float | None = None,
) -> tuple[Tensor, Tensor]:
    """(x_next, x̂0). z ~ N(0, I) is needed where c.noise > 0. All tensors (N, C, H, W).

    Clipping x̂0 re-derives ε from it: only then is η = 1, S = T the DDPM sampler
    (docs/decisions/0002-clipping.md).
    """
    x0_hat, eps = predict(x_t, out, c, prediction_type)
    if clip_range is not None:
        x0_hat = x0_hat.clamp(-clip_range, clip_range)
        eps = (x_t - c.signal * x0_hat) / c.spread
    x_next = c.signal_next * x0_hat + c.direction * eps
    if c.noise > 0:
        if z is None:
            raise RequestError("This step adds noise: pass z.")
        x_next = x_next + c.noise * z
    return x_next, x0_hat


@torch.inference_mode()  # the decorator, not a with-block: a block around a yield leaks into the consumer
def walk(
    network: Network,
    x_T: Tensor,
    plan: Sequence[StepCoefficients],
    noise: Callable[[int], Tensor],
    prediction_type: str = "epsilon",
    clip_range: float | None = None,
) -> Generator[Step, None, None]:
    """Yield one Step for each entry of the plan, from x_T (N, C, H, W) to the picture.

    noise(t) gives z of x_T's shape, on any device; it is asked for only where noise is added.
    Closing the generator stops the run; no step is started unasked. Raises NetworkError when the
    network returns NaN, infinity or another shape.
    """
    clock = make_clock(x_T.device)
    x = x_T
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
        x_next, x0_hat = ddim_step(x, out, c, z, prediction_type, clip_range)
        elapsed_s, network_s = clock.stop(torch.isfinite(out).all(), c.t, last=index + 1 == len(plan))
        yield Step(index, c.t, x, x0_hat, x_next, elapsed_s, network_s)
        x = x_next

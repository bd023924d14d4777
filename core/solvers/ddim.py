"""The paper's generative process, from time n (network index t = n − 1) to the next time n' of the list (eq. 12):

    x_n' = √ᾱ_n' · x̂0 + √(1 − ᾱ_n' − σ²) · ε + σ · z
    σ    = η · √((1 − ᾱ_n')/(1 − ᾱ_n)) · √(1 − ᾱ_n/ᾱ_n')                    (eq. 16)
After the last entry n' = 0, ᾱ = 1: σ is 0 for every η and the picture is x̂0. Where a checkpoint's scheduler stops on
n' = 1 instead (core/scheduler_config.py), the last step is one like the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import RequestError

if TYPE_CHECKING:
    from torch import Tensor

    from core.schedule import NoiseSchedule


@dataclass(frozen=True)
class StepCoefficients:
    """The scalars of one step, computed in float64. ``noise`` is 0 on the last step, whatever η."""

    t: int
    signal: float  # √ᾱ_n
    spread: float  # √(1 − ᾱ_n)
    signal_next: float  # √ᾱ_n'
    direction: float  # √(1 − ᾱ_n' − σ²)
    noise: float  # σ, or σ̂


def coefficients(
    schedule: NoiseSchedule, timesteps: Sequence[int], eta: float, sigma_hat: bool = False, lands_on: int = 0
) -> list[StepCoefficients]:
    """The scalars of each step of a falling list of network indices.

    eta in [0, 1], else RequestError. With sigma_hat the noise is √(1 − ᾱ_n/ᾱ_n') while the direction
    keeps σ(η = 1): the larger-variance DDPM of App. D.3. lands_on: the time n' of the last step, 0 or 1.
    """
    if not 0 <= eta <= 1:
        raise RequestError(f"eta must lie between 0 (DDIM) and 1 (DDPM), not {eta}.")
    eta = 1.0 if sigma_hat else eta
    plan = []
    for i, t in enumerate(timesteps):
        n, n_next = t + 1, (timesteps[i + 1] + 1 if i + 1 < len(timesteps) else lands_on)  # indices become times here
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


class DDIM:
    """η = 0 is deterministic, η = 1 with S = T is the DDPM ancestral sampler. It remembers nothing."""

    name, title, in_paper = "ddim", "DDIM", True

    def plan(
        self, schedule: NoiseSchedule, timesteps: Sequence[int], eta: float, sigma_hat: bool, lands_on: int = 0
    ) -> list[StepCoefficients]:
        return coefficients(schedule, timesteps, eta, sigma_hat, lands_on)

    def step(
        self, x_t: Tensor, x0_hat: Tensor, eps: Tensor, c: StepCoefficients, z: Tensor | None, memory: None = None
    ) -> tuple[Tensor, None]:
        x_next = c.signal_next * x0_hat + c.direction * eps
        if c.noise > 0:
            if z is None:
                raise RequestError("This step adds noise: pass z.")
            x_next = x_next + c.noise * z
        return x_next, None

"""DPM-Solver++ (2M), a second-order multistep solver of the ODE that DDIM at η = 0 solves to first order.

Beyond the paper: Lu et al. 2022, "DPM-Solver++", Algorithm 2. With α = √ᾱ_n, σ = √(1 − ᾱ_n), λ = ln(α/σ),
h = λ' − λ and r = h_before / h, one step is
    D    = x̂0 + (x̂0 − x̂0_before) / (2r)
    x_n' = (σ'/σ) · x_n − α' (e^(−h) − 1) · D
The first step has nothing before it and the last lands on σ' = 0, where h is infinite: both take D = x̂0, as DDIM does.
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
class MultistepCoefficients:
    """The scalars of one step, in float64: x_n' = keep · x_n + towards · (x̂0 + slope · (x̂0 − x̂0_before))."""

    t: int
    signal: float  # √ᾱ_n = α
    spread: float  # √(1 − ᾱ_n) = σ
    keep: float  # σ'/σ
    towards: float  # −α' (e^(−h) − 1) = α' − α σ'/σ
    slope: float  # 1/(2r), or 0 where the step is of first order
    noise: float = 0.0


class DPMSolverPP2M:
    """η = 0 only. It remembers the x̂0 of the step before."""

    name, title, in_paper = "dpm-solver++", "DPM-Solver++ 2M", False

    def plan(
        self, schedule: NoiseSchedule, timesteps: Sequence[int], eta: float, sigma_hat: bool, lands_on: int = 0
    ) -> list[MultistepCoefficients]:
        if eta != 0 or sigma_hat:
            raise RequestError("dpm-solver++ adds no noise: set eta to 0, or take the solver ddim.")
        times = [t + 1 for t in timesteps] + [lands_on]
        alpha = [math.sqrt(float(schedule.alpha_bar[n])) for n in times]
        sigma = [math.sqrt(1 - float(schedule.alpha_bar[n])) for n in times]
        log_snr = [math.log(a / s) for a, s in zip(alpha[:-1], sigma[:-1], strict=True)]
        plan = []
        for i, t in enumerate(timesteps):
            second_order = 0 < i < len(timesteps) - 1
            slope = (log_snr[i + 1] - log_snr[i]) / (log_snr[i] - log_snr[i - 1]) / 2 if second_order else 0.0
            keep = sigma[i + 1] / sigma[i]
            plan.append(MultistepCoefficients(t, alpha[i], sigma[i], keep, alpha[i + 1] - alpha[i] * keep, slope))
        return plan

    def step(
        self, x_t: Tensor, x0_hat: Tensor, eps: Tensor, c: MultistepCoefficients, z: Tensor | None,
        memory: Tensor | None,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        D = x0_hat if c.slope == 0 or memory is None else x0_hat + c.slope * (x0_hat - memory)
        return c.keep * x_t + c.towards * D, x0_hat

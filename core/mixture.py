"""A 2-D distribution whose exact ε is known, so that the sampler can be watched without weights.

Data x_0 ~ Σ_k w_k N(m_k, s² I). The forward process keeps that form: at time n
    x_n ~ Σ_k w_k N(√ᾱ m_k, v I),   v = ᾱ s² + 1 − ᾱ,
so with r_k(x) the chance that x_n = x came from mode k, the network that DDIM training aims at is
    ε(x_n, t) = −√(1 − ᾱ) ∇log p(x_n) = √(1 − ᾱ)/v · (x_n − √ᾱ Σ_k r_k(x_n) m_k).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from core import noise
from core.errors import RequestError
from core.request import SamplerSettings
from core.sampler import Network, walk
from core.schedule import Float64Array, NoiseSchedule
from core.solvers.ddim import coefficients

POINT = (2, 1, 1)  # a point of the plane in the sampler's (C, H, W)
MAX_POINTS = 200  # of one path, both ends included; more cannot be told apart on a screen


@dataclass(frozen=True)
class Mixture:
    """Round Gaussians of one size. means: K points (x, y). std: s > 0 of each. weights: K shares, summing to 1.

    An empty ``weights`` means equal shares. Raises RequestError for values that are no distribution.
    """

    means: tuple[tuple[float, float], ...]
    std: float
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        means = np.asarray(self.means, dtype=np.float64)
        if means.ndim != 2 or means.shape[1:] != (2,) or not len(means) or not np.isfinite(means).all():
            raise RequestError("A mixture needs at least one mean, each of two finite numbers.")
        if not (math.isfinite(self.std) and self.std > 0):
            raise RequestError(f"The standard deviation of a mixture must be above 0, not {self.std}.")
        weights = np.asarray(self.weights if len(self.weights) else np.full(len(means), 1 / len(means)))
        if weights.shape != means.shape[:1] or not (weights > 0).all() or abs(weights.sum() - 1) > 1e-9:
            raise RequestError("A mixture needs one weight above 0 for each mean, and a sum of 1.")
        object.__setattr__(self, "means", tuple((float(x), float(y)) for x, y in means))
        object.__setattr__(self, "weights", tuple(float(w) for w in weights))

    def variance(self, alpha_bar: float) -> float:
        """v = ᾱ s² + 1 − ᾱ, along each axis of each mode."""
        return alpha_bar * self.std**2 + 1 - alpha_bar

    def network(self, schedule: NoiseSchedule) -> Network:
        """The exact ε as ``walk`` calls it: (x_t (N, 2, 1, 1), network index t) → ε of the same shape and dtype."""
        means = torch.tensor(self.means, dtype=torch.float64)
        half_square, log_weights = (means * means).sum(1) / 2, torch.tensor(self.weights, dtype=torch.float64).log()

        def eps(x_t: Tensor, t: int) -> Tensor:
            a = float(schedule.alpha_bar[t + 1])
            v, root, x = self.variance(a), math.sqrt(a), x_t.flatten(1).double()
            # log w_k − |x − √ᾱ m_k|²/2v without |x|², which all modes share; softmax subtracts the largest first
            share = torch.softmax(torch.addmm(log_weights - half_square * (a / v), x, means.T, alpha=root / v), dim=1)
            out = (x - root * (share @ means)) * (math.sqrt(1 - a) / v)
            return out.to(x_t.dtype).view_as(x_t)

        return eps

    def posterior_mean(self, points: Float64Array, alpha_bar: float) -> Float64Array:
        """E[x_0 | x_n = points], (N, 2) → (N, 2): what x̂0 is with the exact ε. ᾱ in (0, 1]."""
        a, v = alpha_bar, self.variance(alpha_bar)
        log = self._log_parts(points, a)
        share = np.exp(log - np.logaddexp.reduce(log, axis=1, keepdims=True))
        kept = a * self.std**2 / v  # of the distance from the mode's centre; the rest was noise
        centres: Float64Array = (1 - kept) * (share @ np.asarray(self.means)) + kept / math.sqrt(a) * points
        return centres

    def log_density(self, points: Float64Array, alpha_bar: float) -> Float64Array:
        """log p(x_n) at points (N, 2) → (N,)."""
        total: Float64Array = np.logaddexp.reduce(self._log_parts(points, alpha_bar), axis=1)
        return total

    def density(self, points: Float64Array, alpha_bar: float) -> Float64Array:
        """p(x_n) at points (N, 2) → (N,), per unit of area; ᾱ = 1 is the data."""
        return np.exp(self.log_density(points, alpha_bar))

    def image(self, axis: Float64Array, alpha_bar: float) -> Float64Array:
        """p(x_n) on the square axis × axis, as a picture: row 0 is the largest y. (M,) rising → (M, M).

        Round modes are products of two 1-D Gaussians, so this takes 2KM exponentials instead of KM².
        """
        v, centres = self.variance(alpha_bar), math.sqrt(alpha_bar) * np.asarray(self.means)
        along = np.exp(-((axis[:, None, None] - centres) ** 2) / (2 * v)) / math.sqrt(2 * math.pi * v)  # (M, K, 2)
        picture: Float64Array = (along[::-1, :, 1] * np.asarray(self.weights)) @ along[:, :, 0].T
        return picture

    def nearest(self, points: Float64Array) -> tuple[np.ndarray, Float64Array]:
        """(mode, distance) of the mode whose centre is nearest to each of points (N, 2): (N,) int and (N,)."""
        far = np.linalg.norm(points[:, None, :] - np.asarray(self.means), axis=2)
        return far.argmin(1), far.min(1)

    def samples(self, n: int, seed: int) -> Float64Array:
        """n points of the data themselves, (n, 2)."""
        rng = np.random.default_rng(seed)
        centres = np.asarray(self.means)[rng.choice(len(self.means), n, p=self.weights)]
        return centres + self.std * rng.standard_normal((n, 2))

    def _log_parts(self, points: Float64Array, a: float) -> Float64Array:
        """log of w_k N(points; √ᾱ m_k, v I), (N, K)."""
        v = self.variance(a)
        gap = points[:, None, :] - math.sqrt(a) * np.asarray(self.means)
        parts: Float64Array = np.log(self.weights) - math.log(2 * math.pi * v) - (gap * gap).sum(2) / (2 * v)
        return parts


def _ring() -> Mixture:
    angles = (2 * math.pi * (k + 0.5) / 8 for k in range(8))
    return Mixture(tuple((1.7 * math.cos(a), 1.7 * math.sin(a)) for a in angles), 0.1)


def _moons() -> Mixture:
    arc = [math.pi * (k + 0.5) / 28 for k in range(28)]
    upper = [(1.35 * math.cos(a) - 0.65, 1.35 * math.sin(a) - 0.3) for a in arc]
    return Mixture((*upper, *((-x, -y) for x, y in upper)), 0.08)


def _spiral() -> Mixture:
    turns = [2 * math.pi * math.sqrt(0.06 + 3.1 * (k + 0.5) / 110) for k in range(110)]  # evenly along the arc
    return Mixture(tuple((0.17 * a * math.cos(a + 2.2), 0.17 * a * math.sin(a + 2.2)) for a in turns), 0.06)


DISTRIBUTIONS: dict[str, Callable[[], Mixture]] = {
    "ring": _ring,
    "moons": _moons,
    "spiral": _spiral,
    "two": lambda: Mixture(((-1.3, 0.0), (1.3, 0.0)), 0.2, (0.3, 0.7)),
}


def distribution(name: str) -> Mixture:
    """A ready-made mixture: "ring" (8 modes), "moons", "spiral", or "two" (a 30:70 pair)."""
    if name not in DISTRIBUTIONS:
        raise RequestError(f"The distribution must be one of {', '.join(DISTRIBUTIONS)}, not {name!r}.")
    return DISTRIBUTIONS[name]()


def kept_points(steps: int, limit: int = MAX_POINTS) -> list[int]:
    """Which of the S + 1 points of a path are kept: all, or ``limit`` evenly spread ones with both ends."""
    if steps + 1 <= limit:
        return list(range(steps + 1))
    return [round(i * steps / (limit - 1)) for i in range(limit)]


@lru_cache(maxsize=4)  # 3 MB each for 200 points; a slider moves S and η far more often than the seed
def _noise_table(seed: int, n: int, T: int) -> Tensor:
    """z of leaving t for points of seeds ``seed``…: (n, T, 2) float64.

    One draw a point for all T steps, as step noise of shape (T, 2, 1): a generator for each point and step would
    take several times as long as the sampling itself.
    """
    return noise.step_noise(range(seed, seed + n), 0, (T, 2, 1)).squeeze(-1).double()


def paths(
    mixture: Mixture, settings: SamplerSettings, n: int, seed: int, schedule: NoiseSchedule | None = None
) -> Float64Array:
    """The project's own sampler on n points: (S + 1, n, 2) from x_T to x_0, thinned by ``kept_points``.

    Point i has seed ``seed + i``: its x_T and the noise of leaving t depend on that and on t alone, so every S,
    η and spacing starts from the same place. x̂0 is not clipped: the plane has no range. The schedule is the usual
    linear one with T = 1000 unless given; the spacing is "leading" unless set.
    """
    schedule = schedule or NoiseSchedule()
    seeds = range(seed, seed + n)
    plan = coefficients(schedule, settings.step_list(schedule.T, "leading"), settings.eta, settings.sigma_hat)

    def z(t: int) -> Tensor:
        return _noise_table(seed, n, schedule.T)[:, t, :, None, None]

    x_T = noise.latents(seeds, POINT).double()
    keep, track = set(kept_points(len(plan))), [x_T]
    track += [s.x_next for s in walk(mixture.network(schedule), x_T, plan, z) if s.index + 1 in keep]
    return torch.stack(track).flatten(2).numpy()

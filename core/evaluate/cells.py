"""What is measured: one cell for each figure of a table, in the order of their cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import RequestError
from core.request import SamplerSettings

KINDS = ("quality", "headline", "denoising", "reconstruction", "consistency", "interpolation", "speed")
TO_DATA = ("quality", "headline", "interpolation")  # kinds that measure distances to the training pictures
WITH_TRAINING = (*TO_DATA, "denoising")  # kinds that look at them at all
WITH_HELD_OUT = ("denoising", "reconstruction")  # and at pictures that were not trained on, as every floor does
SEEN_BY_NET = (*TO_DATA, "consistency")  # kinds that the feature net looks at
ETAS = ("0", "1", "hat", "0.2", "0.5")  # at equal cost in this order: DDIM and DDPM first
QUALITY_STEPS = (5, 10, 20, 50, 100)  # and T
SURE = 0.6  # probability of a class from which on it leads any other by 0.2 at least
HEADLINE_STEPS = (10, 20, 50, 100)  # of η = 0, beside DDPM's T: how few are as good, decided with more pictures
VARIANTS = ("trailing", "linspace", "quadratic", "unclipped")  # of η = 0: other step lists, and x̂0 not clipped
VARIANT_STEPS = (20, 50)
SOLVERS = ("dpm-solver++",)  # beyond the paper, at η = 0
SOLVER_STEPS = (5, 8, 10, 15, 20)  # and so many of DDIM beside them
SNRS = (1000, 300, 100, 30, 10, 3, 1, 0.3, 0.1, 0.03, 0.01)  # levels at which a network is asked once
RECONSTRUCTION_STEPS = (10, 20, 50, 100, 200, 500)  # and T
CONSISTENCY_STEPS = (5, 10, 20, 50, 100, 200, 500)  # against T
CONSISTENCY_SOLVER_STEPS = (5, 10, 20, 50)  # of SOLVERS, against DDIM's T: it is one ODE
INTERPOLATION_STEPS = 50
WAYS = ("slerp", "lerp", "crossfade")
REFINE = 3
PATHS, FRAMES = 100, 17  # paths whose course is followed (at most), pictures on each, ends included
SPEED_BATCH, SPEED_ROUNDS = 16, 3


@dataclass(frozen=True)
class Cell:
    """kind: one of KINDS. S: steps, 0 where none are taken. n: pictures (paths' midpoints, pairs). eta: one of ETAS.

    refine: fixed-point iterations a step of an inversion. way: "floor" or one of
    VARIANTS or SOLVERS in quality, one of SOLVERS in consistency, "levels" in denoising, one of WAYS in interpolation.
    cost: network evaluations of single pictures, the order in which cells are run.
    """

    kind: str
    S: int
    n: int
    cost: int
    eta: str = "0"
    refine: int = 0
    way: str = ""

    @property
    def key(self) -> str:
        """Its name in the JSON and on the command line, such as quality/eta=0.2/S=50."""
        if self.way in VARIANTS + SOLVERS:
            return f"{self.kind}/{self.way}/S={self.S}"
        if self.way or self.kind == "speed":
            return f"{self.kind}/{self.way or 'steps'}"
        if self.kind == "reconstruction":
            return f"{self.kind}/{'refined' if self.refine else 'plain'}/S={self.S}"
        return f"{self.kind}/eta={self.eta}/S={self.S}"

    @property
    def held_out(self) -> bool:
        """Whether it looks at held-out pictures."""
        return self.kind in WITH_HELD_OUT or self.way == "floor"

    @property
    def settings(self) -> SamplerSettings:
        """With the checkpoint's own step list and clipping, but for the variants of quality."""
        if self.way == "unclipped":
            return SamplerSettings(self.S, clip=False)
        if self.way in SOLVERS:
            return SamplerSettings(self.S, solver=self.way)
        return SamplerSettings(self.S, spacing=self.way) if self.way in VARIANTS else settings(self.S, self.eta)


def settings(S: int, eta: str = "0") -> SamplerSettings:
    return SamplerSettings(S, sigma_hat=True) if eta == "hat" else SamplerSettings(S, float(eta))


def _below(steps: Sequence[int], T: int) -> list[int]:
    return [S for S in steps if S < T]


def _kind(kind: str, T: int, n: int, n_rest: int) -> list[Cell]:
    if kind == "quality":
        steps = [*_below(QUALITY_STEPS, T), T]
        found = [Cell(kind, 0, n, 0, way="floor"), *(Cell(kind, S, n, n * S, eta) for eta in ETAS for S in steps)]
        found += [Cell(kind, S, n, n * S) for S in _below(SOLVER_STEPS, T) if S not in steps]
        found += [Cell(kind, S, n, n * S, way=way) for way in VARIANTS for S in _below(VARIANT_STEPS, T)]
        return found + [Cell(kind, S, n, n * S, way=way) for way in SOLVERS for S in _below(SOLVER_STEPS, T)]
    if kind == "headline":
        found = [Cell(kind, 0, n, 0, way="floor"), *(Cell(kind, S, n, n * S) for S in _below(HEADLINE_STEPS, T))]
        return [*found, Cell(kind, T, n, n * T, "1")]
    if kind == "denoising":
        return [Cell(kind, 0, n, 2 * n * len(SNRS), way="levels")]
    if kind == "reconstruction":
        steps = [*_below(RECONSTRUCTION_STEPS, T), T]
        return [Cell(kind, S, n_rest, n_rest * S * (2 + k), refine=k) for k in (0, REFINE) for S in steps]
    if kind == "consistency":
        steps = _below(CONSISTENCY_STEPS, T)  # the first of each η makes the T-step samples that all compare with
        found = [Cell(kind, S, n_rest, n_rest * (S + T), eta) for eta in ("0", "1") for S in steps]
        steps = _below(CONSISTENCY_SOLVER_STEPS, T)
        return found + [Cell(kind, S, n_rest, n_rest * (S + T), way=way) for way in SOLVERS for S in steps]
    if kind == "interpolation":
        S = min(INTERPOLATION_STEPS, T)
        cost = S * (n + FRAMES * min(PATHS, n_rest))
        return [Cell(kind, S, n, cost if way != "crossfade" else S * n, way=way) for way in WAYS]
    rounds = SPEED_ROUNDS * sum(_below(QUALITY_STEPS, T)) + 2 * T
    return [Cell(kind, 0, SPEED_BATCH, SPEED_BATCH * rounds)]


def cells(what: Sequence[str], T: int, n: int, n_rest: int, n_headline: int | None = None) -> list[Cell]:
    """The cells of these kinds, cheap first. n: pictures of a quality, denoising or midpoint cell, n_headline: of a
    headline cell (n where None), n_rest: of a reconstruction or consistency cell.

    Raises RequestError for an unknown kind or fewer than 2 pictures.
    """
    if not what:
        raise RequestError(f"--what is empty: choose from {', '.join(KINDS)}.")
    for kind in what:
        if kind not in KINDS:
            raise RequestError(f"--what {kind!r} is unknown: choose from {', '.join(KINDS)}.")
    counts = {"headline": n if n_headline is None else n_headline}
    if min(n, n_rest, *counts.values()) < 2:
        raise RequestError("--n, --n-headline and --n-rest must be at least 2.")
    found = [cell for kind in KINDS if kind in what for cell in _kind(kind, T, counts.get(kind, n), n_rest)]
    return sorted(found, key=lambda cell: cell.cost)


def only(every: Sequence[Cell], keys: Sequence[str]) -> list[Cell]:
    """The cells of these keys. Raises RequestError naming the known ones for any other key."""
    known = {cell.key: cell for cell in every}
    for key in keys:
        if key not in known:
            raise RequestError(f"--cells {key!r} is unknown: {', '.join(sorted(known))}.")
    return [cell for cell in every if cell.key in keys]

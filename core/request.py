"""What is asked of the engine: frozen, validated, comparable values."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.errors import RequestError
from core.solvers import solver_named
from core.timesteps import SPACINGS, check_step_list, step_list

# JSON in a browser keeps whole numbers exact up to here, and seeds travel through it.
MAX_SEED = 2**53 - 1


@dataclass(frozen=True)
class SamplerSettings:
    """How to sample.

    steps: S in 1..T. eta: η in [0, 1]; 0 is DDIM, 1 with S = T is DDPM (paper eq. 16).
    spacing: one of core.timesteps.SPACINGS, or None for the checkpoint's own.
    timesteps: a custom list of network indices, strictly falling; wins over steps and spacing.
    sigma_hat: the paper's larger-variance DDPM (App. D.3); implies eta = 1.
    clip: clip x̂0 to the checkpoint's range; None follows the checkpoint.
    solver: one of core.solvers.SOLVERS; all but "ddim" are beyond the paper.
    """

    steps: int = 20
    eta: float = 0.0
    spacing: str | None = None
    timesteps: tuple[int, ...] | None = None
    sigma_hat: bool = False
    clip: bool | None = None
    solver: str = "ddim"

    def __post_init__(self) -> None:
        if not isinstance(self.eta, (int, float)) or not math.isfinite(self.eta) or not 0 <= self.eta <= 1:
            raise RequestError(f"eta must lie between 0 (DDIM) and 1 (DDPM), not {self.eta}.")
        if self.spacing is not None and self.spacing not in SPACINGS:
            raise RequestError(f"spacing must be one of {', '.join(SPACINGS)}, not {self.spacing!r}.")
        if self.timesteps is not None:
            object.__setattr__(self, "timesteps", tuple(self.timesteps))
            object.__setattr__(self, "steps", len(self.timesteps))
        if isinstance(self.steps, bool) or not isinstance(self.steps, int) or self.steps < 1:
            raise RequestError(f"steps must be a whole number of at least 1, not {self.steps}.")
        if self.clip not in (None, True, False) or not isinstance(self.sigma_hat, bool):
            raise RequestError("clip must be True, False or None, and sigma_hat True or False.")
        solver_named(self.solver)
        object.__setattr__(self, "eta", 1.0 if self.sigma_hat else float(self.eta))

    def step_list(self, T: int, default_spacing: str) -> tuple[int, ...]:
        """The network indices of this run, strictly falling."""
        if self.timesteps is not None:
            return check_step_list(self.timesteps, T)
        return step_list(self.spacing or default_spacing, self.steps, T)


@dataclass(frozen=True)
class Request:
    """Pictures to make: one for each seed, or a path, a sheet or a place among the seeds' latents.

    seeds: 0..2⁵³−1 each. frames: pictures on a strip through all seeds, both ends included (≥ 2).
    loop: the strip returns to its first seed, without repeating it.
    sheet: side of a square of pictures between four corner seeds (top left, top right, bottom left, bottom
    right), slerp within the pairs, then across (≥ 2). place: (across, down), 0..1 each: one picture of that square.
    own_noise: with η > 0, picture i of a strip or sheet adds the noise of seed first + i; else all of them add
    the first seed's, so that only x_T differs between them.
    """

    seeds: tuple[int, ...] = (0,)
    settings: SamplerSettings = SamplerSettings()
    frames: int | None = None
    loop: bool = False
    sheet: int | None = None
    place: tuple[float, float] | None = None
    own_noise: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "seeds", tuple(self.seeds))
        if not self.seeds:
            raise RequestError("At least one seed is needed.")
        for seed in self.seeds:
            if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
                raise RequestError(f"A seed must be a whole number from 0 to {MAX_SEED}, not {seed}.")
        if sum(kind is not None for kind in (self.frames, self.sheet, self.place)) > 1:
            raise RequestError("Ask for frames, a sheet or a place, not for two of them at once.")
        if not isinstance(self.loop, bool) or not isinstance(self.own_noise, bool):
            raise RequestError("loop and own_noise must be True or False.")
        if self.frames is not None:
            if len(self.seeds) < 2:
                raise RequestError("An interpolation needs at least two seeds, such as 3,8.")
            segments = len(self.seeds) - (not self.loop)
            if isinstance(self.frames, bool) or not isinstance(self.frames, int) or self.frames < segments + 1:
                raise RequestError(f"An interpolation through these seeds needs at least {segments + 1} frames.")
        if (self.sheet is not None or self.place is not None) and len(self.seeds) != 4:
            raise RequestError(f"A sheet lies between four corner seeds; {len(self.seeds)} were given.")
        if self.sheet is not None and (type(self.sheet) is not int or self.sheet < 2):
            raise RequestError(f"A sheet is at least 2 pictures wide, not {self.sheet}.")
        if self.place is not None:
            object.__setattr__(self, "place", tuple(self.place))
            if len(self.place) != 2 or not all(0 <= w <= 1 for w in self.place):
                raise RequestError(f"A place on the sheet is two numbers from 0 to 1, not {self.place}.")

    @property
    def between(self) -> bool:
        """Whether the pictures lie between the seeds, rather than being the seeds' own."""
        return self.frames is not None or self.sheet is not None or self.place is not None

    @property
    def count(self) -> int:
        """How many pictures come out."""
        if self.frames is not None:
            return self.frames
        return self.sheet**2 if self.sheet is not None else 1 if self.place is not None else len(self.seeds)

    def noise_seeds(self) -> tuple[int, ...]:
        """The seed of each picture's step noise."""
        if not self.between:
            return self.seeds
        return tuple(self.seeds[0] + (i if self.own_noise else 0) for i in range(self.count))

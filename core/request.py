"""What is asked of the engine: frozen, validated, comparable values."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.errors import RequestError
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
    """

    steps: int = 20
    eta: float = 0.0
    spacing: str | None = None
    timesteps: tuple[int, ...] | None = None
    sigma_hat: bool = False
    clip: bool | None = None

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
        object.__setattr__(self, "eta", 1.0 if self.sigma_hat else float(self.eta))

    def step_list(self, T: int, default_spacing: str) -> tuple[int, ...]:
        """The network indices of this run, strictly falling."""
        if self.timesteps is not None:
            return check_step_list(self.timesteps, T)
        return step_list(self.spacing or default_spacing, self.steps, T)


@dataclass(frozen=True)
class Request:
    """Pictures to make: one for each seed, or, with ``frames``, a path through the seeds' latents.

    seeds: 0..2⁵³−1 each. frames: pictures on a strip through all seeds, both ends included (≥ 2).
    loop: the strip returns to its first seed, without repeating it.
    """

    seeds: tuple[int, ...] = (0,)
    settings: SamplerSettings = SamplerSettings()
    frames: int | None = None
    loop: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "seeds", tuple(self.seeds))
        if not self.seeds:
            raise RequestError("At least one seed is needed.")
        for seed in self.seeds:
            if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
                raise RequestError(f"A seed must be a whole number from 0 to {MAX_SEED}, not {seed}.")
        if self.frames is not None:
            if len(self.seeds) < 2:
                raise RequestError("An interpolation needs at least two seeds, such as 3,8.")
            segments = len(self.seeds) - (not self.loop)
            if isinstance(self.frames, bool) or not isinstance(self.frames, int) or self.frames < segments + 1:
                raise RequestError(f"An interpolation through these seeds needs at least {segments + 1} frames.")

    @property
    def count(self) -> int:
        """How many pictures come out."""
        return len(self.seeds) if self.frames is None else self.frames

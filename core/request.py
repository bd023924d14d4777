"""What is asked of the engine: frozen, validated, comparable values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from core.branches import Branches
from core.errors import RequestError
from core.plain_numbers import excerpt, listed, real, truth, whole
from core.solvers import solver_named
from core.solvers.ddim import DDIM
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
    label: the class of all pictures, 0..N−1 for a network with N classes, which needs one; None for any other.
    """

    steps: int = 20
    eta: float = 0.0
    spacing: str | None = None
    timesteps: tuple[int, ...] | None = None
    sigma_hat: bool = False
    clip: bool | None = None
    solver: str = "ddim"
    label: int | None = None

    def __post_init__(self) -> None:
        keep = partial(object.__setattr__, self)
        keep("eta", real(self.eta, "eta must lie between 0 (DDIM) and 1 (DDPM)", 0, 1))
        if self.spacing is not None:
            if not isinstance(self.spacing, str) or self.spacing not in SPACINGS:
                raise RequestError(f"spacing must be one of {', '.join(SPACINGS)}, not {excerpt(self.spacing)}.")
            keep("spacing", str(self.spacing))  # NumPy has strings of its own
        if self.timesteps is not None:
            indices = listed(self.timesteps, "timesteps must be a list, such as (900, 500, 100)")
            wanted = "Every index of a custom step list must be a whole number of at least 0"
            keep("timesteps", tuple(whole(t, wanted, 0) for t in indices))
            keep("steps", len(indices))
        keep("steps", whole(self.steps, "steps must be a whole number of at least 1", 1))
        keep("sigma_hat", truth(self.sigma_hat, "sigma_hat must be True or False"))
        if self.clip is not None:
            keep("clip", truth(self.clip, "clip must be True, False or None"))
        keep("solver", solver_named(self.solver).name)
        if self.label is not None:
            keep("label", whole(self.label, "label must be a whole number of at least 0", 0))
        if self.sigma_hat:
            keep("eta", 1.0)

    def step_list(self, T: int, default_spacing: str) -> tuple[int, ...]:
        """The network indices of this run, strictly falling."""
        if self.timesteps is not None:
            return check_step_list(self.timesteps, T)
        return step_list(self.spacing or default_spacing, self.steps, T)


@dataclass(frozen=True)
class Request:
    """Pictures to make: one for each seed, or a path, a sheet or a place among the seeds' latents, or branches of one.

    seeds: 0..2⁵³−1 each. frames: pictures on a strip through all seeds, both ends included (≥ 2).
    loop: the strip returns to its first seed, without repeating it.
    sheet: side of a square of pictures between four corner seeds (top left, top right, bottom left, bottom
    right), slerp within the pairs, then across (≥ 2). place: (across, down), 0..1 each: one picture of that square.
    own_noise: with η > 0, picture i of a strip or sheet adds the noise of seed first + i; else all of them add
    the first seed's, so that only x_T differs between them.
    start: a network index of the step list at which the run begins, from latents that must be given: they are x_t
    there, not x_T. branches: from one seed, several pictures that part at some t (core/branches.py).
    """

    seeds: tuple[int, ...] = (0,)
    settings: SamplerSettings = SamplerSettings()
    frames: int | None = None
    loop: bool = False
    sheet: int | None = None
    place: tuple[float, float] | None = None
    own_noise: bool = False
    start: int | None = None
    branches: Branches | None = None

    def __post_init__(self) -> None:
        keep = partial(object.__setattr__, self)
        seeds = listed(self.seeds, "seeds must be a list, such as (0, 1, 2)")
        wanted = f"A seed must be a whole number from 0 to {MAX_SEED}"
        keep("seeds", tuple(whole(seed, wanted, 0, MAX_SEED) for seed in seeds))
        if not self.seeds:
            raise RequestError("At least one seed is needed.")
        if not isinstance(self.settings, SamplerSettings):
            raise RequestError(f"settings must be SamplerSettings, not {excerpt(self.settings)}.")
        if sum(kind is not None for kind in (self.frames, self.sheet, self.place)) > 1:
            raise RequestError("Ask for frames, a sheet or a place, not for two of them at once.")
        keep("loop", truth(self.loop, "loop must be True or False"))
        keep("own_noise", truth(self.own_noise, "own_noise must be True or False"))
        if self.frames is not None:
            if len(self.seeds) < 2:
                raise RequestError("An interpolation needs at least two seeds, such as 3,8.")
            least = len(self.seeds) + self.loop
            keep(
                "frames",
                whole(self.frames, f"An interpolation through these seeds needs at least {least} frames", least),
            )
        if (self.sheet is not None or self.place is not None) and len(self.seeds) != 4:
            raise RequestError(f"A sheet lies between four corner seeds; {len(self.seeds)} were given.")
        if self.sheet is not None:
            keep("sheet", whole(self.sheet, "A sheet is a whole number of pictures wide, at least 2", 2))
        if self.place is not None:
            wanted = "A place on the sheet is two numbers from 0 to 1"
            keep("place", tuple(real(w, wanted, 0, 1) for w in listed(self.place, wanted)))
            if len(self.place) != 2:
                raise RequestError(f"{wanted}; {len(self.place)} were given.")
        if self.start is not None:
            keep("start", whole(self.start, "A run starts at a t of its step list, a whole number of at least 0", 0))
        if self.branches is not None:
            self._check_branches(self.branches)

    def _check_branches(self, branches: Branches) -> None:
        if not isinstance(branches, Branches):
            raise RequestError(f"branches must be Branches or None, not {excerpt(branches)}.")
        if self.between:
            raise RequestError("Branches come down from one latent: leave out frames, sheet and place.")
        if len(self.seeds) != 1:
            raise RequestError(f"Branches come down from one latent: give one seed, not {len(self.seeds)}.")
        if self.start is not None and self.start < branches.at:
            raise RequestError(
                f"The run starts at t = {self.start}, below its branches: let them begin there or lower."
            )
        if self.settings.solver != DDIM.name:
            raise RequestError("Branches part by the noise that DDIM adds: take the solver ddim.")
        if self.settings.sigma_hat:
            raise RequestError("Branches have an eta of their own, without sigma_hat: leave it out.")

    @property
    def between(self) -> bool:
        """Whether the pictures lie between the seeds, rather than being the seeds' own."""
        return self.frames is not None or self.sheet is not None or self.place is not None

    @property
    def count(self) -> int:
        """How many pictures come out."""
        if self.branches is not None:
            return self.branches.count
        if self.frames is not None:
            return self.frames
        return self.sheet**2 if self.sheet is not None else 1 if self.place is not None else len(self.seeds)

    def noise_seeds(self) -> tuple[int, ...]:
        """The seed of each picture's step noise; of branches, that of the trunk."""
        if not self.between:
            return self.seeds
        return tuple(self.seeds[0] + (i if self.own_noise else 0) for i in range(self.count))

"""Ways from noise to a picture over a step list. A further one is a file here, a line in ``SOLVERS`` and its test.

A solver makes a plan, the scalars of every step in float64, and then takes one step at a time from what the network
says, with whatever it wants to remember of the steps before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from core.errors import RequestError
from core.solvers.ddim import DDIM
from core.solvers.dpmpp_2m import DPMSolverPP2M

if TYPE_CHECKING:
    from torch import Tensor

    from core.schedule import NoiseSchedule


class PlannedStep(Protocol):
    """What every solver's plan holds of a step: the network index t, √ᾱ_n, √(1−ᾱ_n), and the noise it will add."""

    @property
    def t(self) -> int: ...
    @property
    def signal(self) -> float: ...
    @property
    def spread(self) -> float: ...
    @property
    def noise(self) -> float: ...


class Solver(Protocol):
    """name: what a request calls it. title: what people read. in_paper: whether it is the DDIM paper's own."""

    name: str
    title: str
    in_paper: bool

    def plan(
        self, schedule: NoiseSchedule, timesteps: Sequence[int], eta: float, sigma_hat: bool, lands_on: int = 0
    ) -> Sequence[PlannedStep]:
        """The steps of a strictly falling list of network indices, the last of which lands on clean data, n = 0, or
        where a checkpoint's scheduler stops short of it on n = 1 (lands_on).
        Raises RequestError for settings that this solver does not have."""

    def step(
        self, x_t: Tensor, x0_hat: Tensor, eps: Tensor, c: Any, z: Tensor | None, memory: Any
    ) -> tuple[Tensor, Any]:
        """(x_next, memory for the step after). x_t, x0_hat, eps, z: (N, C, H, W); z ~ N(0, I) where c.noise > 0.
        c: this step of the plan. memory: None at the first step, then what the step before returned."""


SOLVERS: dict[str, Solver] = {solver.name: solver for solver in (DDIM(), DPMSolverPP2M())}


def solver_named(name: object) -> Solver:
    """Raises RequestError naming the known ones."""
    if not isinstance(name, str) or name not in SOLVERS:
        raise RequestError(f"solver must be one of {', '.join(SOLVERS)}, not {str(name)[:40]!r}.")
    return SOLVERS[name]

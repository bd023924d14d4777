"""One run: a request on its way to pictures. Iterate it for steps; then it has images, timing, film and record.

Page, API, command line and evaluation all consume this one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core import noise
from core.backends.placed import PlacedNetwork
from core.checkpoint import Checkpoint
from core.clock import Clock, make_clock
from core.errors import RequestError
from core.files import Made
from core.pixels import to_pixels
from core.record import run_record
from core.request import Request
from core.result import Result
from core.sampler import Step, walk
from core.solvers import PlannedStep, Solver
from core.timing import Timing
from core.trajectory import Trajectory


@dataclass(frozen=True)
class Plan:
    """A request with nothing left open. request: every default resolved. steps: the solver's. x_T: (N, C, H, W) on
    the CPU, one for all pictures where the run has branches. latents_sha256: of latents that were given rather than
    drawn from the seeds, else None. trunk: of branches, how many steps they share, which are taken once."""

    checkpoint: Checkpoint
    request: Request
    solver: Solver
    steps: tuple[PlannedStep, ...]
    x_T: Tensor  # noqa: N815  # the field's name
    clip_range: float | None
    latents_sha256: str | None
    trunk: int | None = None


class Run:
    """An iterator of steps, in batches of at most max_batch one after the other; ``close`` stops it.

    The trunk of branches is walked once, alone, and its steps show it as often as there are branches in a batch. film:
    keep a bounded trajectory (one batch only). Time is taken inside the sampler, so a slow consumer does not count,
    and no step is started unasked.
    """

    def __init__(self, plan: Plan, network: PlacedNetwork, max_batch: int, film: bool = False) -> None:
        if max_batch < 1:
            raise RequestError("max_batch must be at least 1.")
        count = plan.request.count
        if film and count > max_batch:
            raise RequestError(f"A film is kept of one batch: set max_batch to {count} or more.")
        self.plan, self.network = plan, network
        self.batch = min(max_batch, count)
        shared = plan.trunk or 0
        self.evaluations = shared + (len(plan.steps) - shared) * -(-count // max_batch)
        self.done = 0
        self.film: Trajectory | None = Trajectory(len(plan.steps)) if film else None
        self.film_s = 0.0  # spent on keeping it, which no timing counts
        self._parts: list[Tensor] = []
        self._last: Step | None = None
        self._steps = self._walk()

    def __iter__(self) -> Run:
        return self

    def __next__(self) -> Step:
        step = next(self._steps)
        self.done += 1
        self._last = step
        if self.film is not None:
            started = time.perf_counter()
            self.film.add(step)
            self.film_s += time.perf_counter() - started
        if step.index + 1 == len(self.plan.steps):
            self._parts.append(step.x_next.float().cpu().contiguous())
        return step

    def close(self) -> None:
        """End within the step; what is there stays."""
        self._steps.close()

    def _walk(self) -> Generator[Step, None, None]:
        plan, shape = self.plan, self.plan.checkpoint.shape
        clock = make_clock(self.network.device)
        seeds, count = plan.request.noise_seeds(), plan.request.count
        parts = [range(count)[start : start + self.batch] for start in range(0, count, self.batch)]
        if plan.trunk is None:
            for part in parts:
                which = slice(part.start, part.stop)
                yield from self._part(plan.x_T[which], plan.steps, _noise_of(seeds[which], shape), clock)
            return
        x_t, trunk = plan.x_T, plan.steps[: plan.trunk]
        if trunk:
            for step in self._part(x_t, trunk, _noise_of(seeds, shape), clock):
                x_t = step.x_next
                yield _shown(step, self.batch)
        for part in parts:
            noise_of = _noise_of_branches(seeds[0], part, shape)
            for step in self._part(x_t.expand(len(part), -1, -1, -1), plan.steps[plan.trunk :], noise_of, clock):
                yield replace(step, index=plan.trunk + step.index)

    def _part(
        self, x: Tensor, steps: Sequence[PlannedStep], noise: Callable[[int], Tensor], clock: Clock
    ) -> Generator[Step, None, None]:
        """One batch over some of the steps."""
        plan, x = self.plan, self.network.to_device(x)
        self.network.warm_up(len(x), plan.checkpoint.shape)
        network = self.network.labelled(plan.request.settings.label)
        kind = plan.checkpoint.defaults.prediction_type
        yield from walk(network, x, steps, noise, kind, plan.clip_range, plan.solver, clock)

    @property
    def finished(self) -> bool:
        return self.done == self.evaluations

    def _end(self) -> Step:
        if not self.finished or self._last is None:
            raise RequestError("This run has not finished: iterate it to its end first.")
        return self._last

    @property
    def images(self) -> Tensor:
        """(N, C, H, W) float32 on the CPU, in about [−1, 1], unrounded."""
        self._end()
        return torch.cat(self._parts)

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The images as people see them: N×H×W×3 uint8."""
        return to_pixels(self.images)

    @property
    def timing(self) -> Timing:
        end, count = self._end(), self.plan.request.count
        return Timing.of(self.network.place, end.elapsed_s, end.network_s, self.evaluations, count, self.batch)

    @property
    def record(self) -> dict[str, object]:
        """The JSON that goes into every export: everything needed to repeat the run."""
        plan = self.plan
        return run_record(plan.checkpoint, plan.request, self.timing, plan.latents_sha256)

    @property
    def made(self) -> Made:
        """The finished run as its files need it."""
        return Made(self.record, self.pixels, self.images)

    def result(self, on_step: Callable[[int, int], None] | None = None) -> Result:
        """Go on to the end. on_step(done, all) after each evaluation."""
        for _ in self:
            if on_step is not None:
                on_step(self.done, self.evaluations)
        return Result(self.images, self.timing, self.record)


def _noise_of(seeds: tuple[int, ...], shape: tuple[int, int, int]) -> Callable[[int], Tensor]:
    def step_noise(t: int) -> Tensor:
        if len(set(seeds)) > 1:
            return noise.step_noise(seeds, t, shape)
        return noise.step_noise(seeds[:1], t, shape).expand(len(seeds), -1, -1, -1)

    return step_noise


def _noise_of_branches(seed: int, which: Sequence[int], shape: tuple[int, int, int]) -> Callable[[int], Tensor]:
    return lambda t: noise.branch_noise(seed, which, t, shape)


def _shown(step: Step, times: int) -> Step:
    """A step of one picture as one of several that are alike, without a copy."""

    def several(x: Tensor) -> Tensor:
        return x.expand(times, -1, -1, -1)

    return replace(step, x_t=several(step.x_t), x0_hat=several(step.x0_hat), x_next=several(step.x_next))

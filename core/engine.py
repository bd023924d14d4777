"""The engine: a checkpoint on a device, and the one way from a Request to a Run."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from core import latents as paths
from core import noise
from core.backends import open_network
from core.branches import Branches
from core.checkpoint import Checkpoint, open_checkpoint
from core.device import resolve_device, resolve_precision
from core.errors import RequestError
from core.fitting import batch_that_fits, free_memory
from core.given import Array, digest, given_latents, tensor_of
from core.inversion import Inversion, inverting, run_through
from core.request import Request, SamplerSettings
from core.result import Result
from core.run import Plan, Run
from core.sampler import Network
from core.solvers import PlannedStep, solver_named
from core.solvers.ddim import DDIM, StepCoefficients
from core.timesteps import check_step_list, position, step_list

MAX_BATCH = 64


class Engine:
    """Open with ``Engine.open``. One run at a time gives meaningful timings; runs share no state.

    placed: the network where it is computed. Another engine of the same checkpoint has a network of its own.
    """

    def __init__(
        self, checkpoint: Checkpoint, device: str = "auto", precision: str = "auto", backend: str = "auto"
    ) -> None:
        self.checkpoint = checkpoint
        where = resolve_device(device)
        self.placed = open_network(checkpoint, where, resolve_precision(precision, where), backend)

    @classmethod
    def open(cls, path: str | Path, device: str = "auto", precision: str = "auto", backend: str = "auto") -> Engine:
        """device: auto, cpu, cuda, cuda:N, mps. precision: auto (fp32), fp32, bf16, fp16. backend: auto, or a name
        in core.backends.BACKENDS.

        Raises CheckpointError or RequestError with the remedy.
        """
        return cls(open_checkpoint(path), device, precision, backend)

    @property
    def T(self) -> int:
        """The number of training steps, the largest S."""
        return self.checkpoint.schedule.T

    @property
    def network(self) -> Network:
        return self.placed.network

    @property
    def device(self) -> torch.device:
        return self.placed.device

    @property
    def precision(self) -> str:
        return self.placed.precision

    @property
    def backend(self) -> str:
        return self.placed.backend

    @cached_property
    def fits(self) -> int:
        """How many pictures at once there was memory for when this was first asked: 8, 4, 2 or 1."""
        return batch_that_fits(self.checkpoint.config, free_memory(self.device))

    def use_backend(self, name: str) -> None:
        """From the next run on, compute by another backend. Runs under way keep theirs. Raises DDIMError."""
        if name != self.backend:
            self.placed = open_network(self.checkpoint, self.device, self.precision, name)

    def plan(self, request: Request) -> list[PlannedStep]:
        """The scalars of every step, from the request's start, and of branches with their own η. Raises RequestError
        for S outside 1..T, a bad list, a t that is not in it, or what the solver lacks."""
        return self._plan(self.resolve(request.settings), request.start, request.branches)

    def resolve(self, settings: SamplerSettings) -> SamplerSettings:
        """Settings with nothing left to the checkpoint: its spacing and clipping, and where DDPM is the larger
        variance for it (``SamplingDefaults.sigma_hat``), η = 1 said as sigma_hat. Raises RequestError for a label that
        the network does not have, or none where it has classes."""
        self._check_label(settings.label)
        own = self.checkpoint.defaults
        clip = own.clip_range is not None if settings.clip is None else settings.clip
        larger = settings.sigma_hat or (own.sigma_hat and settings.eta == 1)
        return replace(settings, spacing=settings.spacing or own.spacing, clip=clip, sigma_hat=larger)

    def _check_label(self, label: int | None) -> None:
        name, classes = self.checkpoint.name, self.checkpoint.config.num_class_embeds
        if classes is None:
            if label is not None:
                raise RequestError(f"{name} has no classes: leave out label.")
            return
        counted = "1 class" if classes == 1 else f"{classes:,} classes"
        choice = "choose it with label 0" if classes == 1 else f"choose one with label, 0 to {classes - 1}"
        if label is None:
            raise RequestError(f"{name} has {counted}: {choice}.")
        if label >= classes:
            raise RequestError(f"{name} has {counted}, and label {label} is not one of them: {choice}.")

    def _plan(
        self, s: SamplerSettings, start: int | None = None, branches: Branches | None = None
    ) -> list[PlannedStep]:
        schedule, lands_on = self.checkpoint.schedule, self.checkpoint.defaults.lands_on
        solver, timesteps = solver_named(s.solver), self._timesteps(s, start)
        steps = list(solver.plan(schedule, timesteps, s.eta, s.sigma_hat, lands_on))
        if branches is not None:
            fork = position(timesteps, branches.at)
            steps[fork:] = solver.plan(schedule, timesteps[fork:], branches.eta, False, lands_on)
        return steps

    def _timesteps(self, s: SamplerSettings, start: int | None) -> tuple[int, ...]:
        """The step list from ``start`` on, or all of it."""
        own = self.checkpoint.defaults
        if s.timesteps is None:
            timesteps = step_list(s.spacing or own.spacing, s.steps, self.T, own.offset, own.drops_zero)
        else:
            timesteps = check_step_list(s.timesteps, self.T)
        return timesteps if start is None else timesteps[position(timesteps, start) :]

    def x_T(self, request: Request, given: Array | None = None) -> Tensor:
        """The latents of a request, (N, C, H, W) float32 on the CPU: the seeds' own, or what lies between them.

        given: latents instead of the seeds' own, one for each seed; or, of a path, a sheet or a place, one for each
        picture, which are left as they are (core/given.py). Raises RequestError for another number.
        """
        shape = self.checkpoint.shape
        keys = noise.latents(request.seeds, shape) if given is None else given_latents(given, request, shape)
        if len(keys) != len(request.seeds):
            return keys
        if request.frames is not None:
            return paths.strip(keys, request.frames, request.loop)
        if request.sheet is not None:
            return paths.sheet(keys, request.sheet)
        return keys if request.place is None else paths.between_corners(keys, *request.place)[None]

    def run(self, request: Request, x_T: Array | None = None, max_batch: int | None = None, film: bool = False) -> Run:
        """An iterator of the run's steps, in one batch unless max_batch says otherwise. Everything is checked before
        this returns; close it to stop.

        x_T: latents to use instead of the seeds' own, a tensor or an array, as ``x_T`` takes them. With η > 0, picture
        i adds the noise of its seed; see Request for what the pictures between seeds add. Where the request has a
        start, they are x_t there and are needed. film: keep the trajectory.
        """
        settings = self.resolve(request.settings)
        steps = self._plan(settings, request.start, request.branches)
        if request.start is not None and x_T is None:
            raise RequestError(f"A run that starts at t = {request.start} needs the latents there: give x_T.")
        latents = self.x_T(request, x_T)
        sha256 = None if x_T is None else digest(tensor_of(x_T, "latents"))
        fork = None if request.branches is None else [c.t for c in steps].index(request.branches.at)
        plan = Plan(
            self.checkpoint, replace(request, settings=settings), solver_named(settings.solver), tuple(steps),
            latents, self.clip_range(request), sha256, fork,
        )  # fmt: skip
        return Run(plan, self.placed, request.count if max_batch is None else max_batch, film)

    def clip_range(self, request: Request) -> float | None:
        """The range x̂0 is clipped to in this request, or None."""
        clip, own = request.settings.clip, self.checkpoint.defaults.clip_range
        if clip is None:
            return own
        return (own or 1.0) if clip else None

    def warm_up(self, batch: int) -> None:
        """Ask the network once at a new batch size, untimed: kernels are chosen on the first call."""
        self.placed.warm_up(batch, self.checkpoint.shape)

    def sample(
        self,
        request: Request,
        x_T: Array | None = None,
        max_batch: int = MAX_BATCH,
        on_step: Callable[[int, int], None] | None = None,
    ) -> Result:
        """Run a request to its end, in batches of at most max_batch. on_step(done, all) after each evaluation."""
        return self.run(request, x_T, max_batch).result(on_step)

    def interpolate(self, request: Request, **options: object) -> Result:
        """Like sample, for a request with ``frames``: the pictures of a strip, in order. x_T: the latents that it goes
        through, one for each seed, such as ``encode`` finds of two pictures."""
        if request.frames is None:
            raise RequestError("An interpolation needs a number of frames.")
        return self.sample(request, **options)  # type: ignore[arg-type]

    def encode(
        self,
        images: Array,
        settings: SamplerSettings,
        refine: int = 0,
        max_batch: int = MAX_BATCH,
        on_step: Callable[[int, int], None] | None = None,
        until: int | None = None,
    ) -> Inversion:
        """Latents x_T of images (N,C,H,W) in [−1,1], by the ODE of η = 0 run upward (core/inversion.py).

        ``sample`` with these latents, the same step list and clip=False gives the images back, the better
        the larger S and refine. until: a t of the step list at which to stop; then it is x_t that is found, and a
        request with that start gives the images back. Raises RequestError for η > 0 or images of another shape.
        """
        steps = self.encoding(images, settings, refine, max_batch, until)
        if on_step is None:
            return run_through(steps)
        batches, done = -(-len(images) // max_batch), 0
        total = batches * len(self._plan(self.resolve(settings), until))

        def step(_: Tensor) -> None:
            nonlocal done
            done += 1
            on_step(done, total)

        return run_through(steps, step)

    def encoding(
        self, images: Array, settings: SamplerSettings, refine: int = 0, max_batch: int = MAX_BATCH,
        until: int | None = None,
    ) -> Generator[Tensor, None, Inversion]:  # fmt: skip
        """``encode`` a step at a time, batch after batch: yields the x_t that a step up has found, on the network's
        device. What cannot be encoded is refused before the first."""
        if settings.solver != DDIM.name:
            raise RequestError("Only DDIM is inverted here: take the solver ddim.")
        images = tensor_of(images, "images")
        if images.ndim != 4 or tuple(images.shape[1:]) != self.checkpoint.shape or not len(images):
            raise RequestError(f"The images are {tuple(images.shape)}; this needs (N, *{self.checkpoint.shape}).")
        plan = cast("list[StepCoefficients]", self._plan(self.resolve(settings), until))
        kind, placed = self.checkpoint.defaults.prediction_type, self.placed
        network, parts = placed.labelled(settings.label), []
        for batch in images.float().split(max_batch):
            x = placed.to_device(batch)
            placed.warm_up(len(x), self.checkpoint.shape)
            parts.append((yield from inverting(network, x, plan, kind, refine)))
        shares = [part.held_back * len(part.x_T) for part in parts]
        return Inversion(
            torch.cat([part.x_T.float().cpu().contiguous() for part in parts]),
            sum(part.evaluations for part in parts),
            sum(shares) / len(images),
        )

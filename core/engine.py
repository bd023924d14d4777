"""The engine: a checkpoint on a device, and the one way from a Request to steps and results."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from core import latents as paths
from core import noise
from core.checkpoint import Checkpoint, open_checkpoint
from core.device import PRECISIONS, resolve_device, resolve_precision
from core.errors import RequestError
from core.inversion import Inversion, invert
from core.record import run_record
from core.request import Request, SamplerSettings
from core.result import Result
from core.sampler import Step, StepCoefficients, coefficients, walk
from core.timing import Timing

MAX_BATCH = 64


class Engine:
    """Open with ``Engine.open``. One run at a time gives meaningful timings; runs share no state."""

    def __init__(self, checkpoint: Checkpoint, device: str = "auto", precision: str = "auto") -> None:
        self.checkpoint = checkpoint
        self.device = resolve_device(device)
        self.precision = resolve_precision(precision, self.device)
        self.network = checkpoint.network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network.inner_dtype = PRECISIONS[self.precision]
        self._warm: set[int] = set()
        self._warming = threading.Lock()

    @classmethod
    def open(cls, path: str | Path, device: str = "auto", precision: str = "auto") -> Engine:
        """device: auto, cpu, cuda, cuda:N, mps. precision: auto (fp32), fp32, bf16, fp16.

        Raises CheckpointError or RequestError with the remedy.
        """
        return cls(open_checkpoint(path), device, precision)

    @property
    def T(self) -> int:
        """The number of training steps, the largest S."""
        return self.checkpoint.schedule.T

    def plan(self, request: Request) -> list[StepCoefficients]:
        """The scalars of every step. Raises RequestError for S outside 1..T or a bad list."""
        s = request.settings
        timesteps = s.step_list(self.T, self.checkpoint.defaults.spacing)
        return coefficients(self.checkpoint.schedule, timesteps, s.eta, s.sigma_hat)

    def x_T(self, request: Request) -> Tensor:
        """The latents of a request, (N, C, H, W) float32 on the CPU: from seeds, or the strip between them."""
        keys = noise.latents(request.seeds, self.checkpoint.shape)
        if request.frames is not None:
            return paths.strip(keys, request.frames, request.loop)
        if request.sheet is not None:
            return paths.sheet(keys, request.sheet)
        return keys if request.place is None else paths.between_corners(keys, *request.place)[None]

    def run(self, request: Request, x_T: Tensor | None = None) -> Generator[Step, None, None]:
        """Yield the steps of one batch. Everything is checked before this returns; close it to stop.

        x_T: latents (N, C, H, W) to use instead of the seeds' own. With η > 0, picture i adds the noise
        of its seed; see Request for what the pictures between seeds add.
        """
        plan, latents = self.plan(request), self._check(request, x_T)
        return self._walk(request, plan, latents, request.noise_seeds())

    def _check(self, request: Request, x_T: Tensor | None) -> Tensor:
        latents = self.x_T(request) if x_T is None else x_T
        want = (request.count, *self.checkpoint.shape)
        if tuple(latents.shape) != want:
            raise RequestError(f"The latents are {tuple(latents.shape)}; this request needs {want}.")
        if not bool(torch.isfinite(latents).all()):
            raise RequestError("The latents hold NaN or infinity: make them anew.")
        return latents.float()

    def _walk(
        self, request: Request, plan: list[StepCoefficients], latents: Tensor, seeds: tuple[int, ...]
    ) -> Generator[Step, None, None]:
        x = latents.to(self.device).contiguous(memory_format=torch.channels_last)
        self.warm_up(len(x))

        def step_noise(t: int) -> Tensor:
            if len(set(seeds)) > 1:
                return noise.step_noise(seeds, t, self.checkpoint.shape)
            return noise.step_noise(seeds[:1], t, self.checkpoint.shape).expand(len(x), -1, -1, -1)

        kind = self.checkpoint.defaults.prediction_type
        return walk(self.network, x, plan, step_noise, kind, self.clip_range(request))

    def clip_range(self, request: Request) -> float | None:
        """The range x̂0 is clipped to in this request, or None."""
        clip, own = request.settings.clip, self.checkpoint.defaults.clip_range
        if clip is None:
            return own
        return (own or 1.0) if clip else None

    @torch.inference_mode()
    def warm_up(self, batch: int) -> None:
        """Ask the network once at a new batch size, untimed: kernels are chosen on the first call."""
        with self._warming:
            if batch not in self._warm:
                zeros = torch.zeros(batch, *self.checkpoint.shape, device=self.device)
                self.network(zeros.contiguous(memory_format=torch.channels_last), 0)
                self._warm.add(batch)

    def sample(
        self,
        request: Request,
        x_T: Tensor | None = None,
        max_batch: int = MAX_BATCH,
        on_step: Callable[[int, int], None] | None = None,
    ) -> Result:
        """Run a request to its end, in batches of at most max_batch. on_step(done, all) after each evaluation."""
        if max_batch < 1:
            raise RequestError("max_batch must be at least 1.")
        plan, latents = self.plan(request), self._check(request, x_T)
        starts, seeds = range(0, len(latents), max_batch), request.noise_seeds()
        images, total, network, done = [], 0.0, 0.0, 0
        for start in starts:
            part = slice(start, start + max_batch)
            last: Step | None = None
            for last in self._walk(request, plan, latents[part], seeds[part]):  # noqa: B007 (read after the loop)
                done += 1
                if on_step is not None:
                    on_step(done, len(plan) * len(starts))
            assert last is not None  # a plan has at least one step
            images.append(last.x_next.float().cpu().contiguous())
            total, network = total + last.elapsed_s, network + last.network_s
        timing = Timing.of(self, total, network, done, request.count, min(max_batch, request.count))
        return Result(torch.cat(images), timing, self.record(request, timing, x_T))

    def interpolate(self, request: Request, **options: object) -> Result:
        """Like sample, for a request with ``frames``: the pictures of a strip, in order."""
        if request.frames is None:
            raise RequestError("An interpolation needs a number of frames.")
        return self.sample(request, **options)  # type: ignore[arg-type]

    def encode(
        self,
        images: Tensor,
        settings: SamplerSettings,
        refine: int = 0,
        max_batch: int = MAX_BATCH,
        on_step: Callable[[int, int], None] | None = None,
    ) -> Inversion:
        """Latents x_T of images (N,C,H,W) in [−1,1], by the ODE of η = 0 run upward (core/inversion.py).

        ``sample`` with these latents, the same step list and clip=False gives the images back, the better
        the larger S and refine. Raises RequestError for η > 0 or images of another shape.
        """
        if images.ndim != 4 or tuple(images.shape[1:]) != self.checkpoint.shape or not len(images):
            raise RequestError(f"The images are {tuple(images.shape)}; this needs (N, *{self.checkpoint.shape}).")
        plan, kind = self.plan(Request((0,), settings)), self.checkpoint.defaults.prediction_type
        batches = images.float().split(max_batch)
        done, parts = 0, []
        for batch in batches:
            x = batch.to(self.device).contiguous(memory_format=torch.channels_last)
            self.warm_up(len(x))

            def step(_: int, __: int) -> None:
                nonlocal done
                done += 1
                if on_step is not None:
                    on_step(done, len(plan) * len(batches))

            parts.append(invert(self.network, x, plan, kind, refine, step))
        shares = [part.held_back * len(part.x_T) for part in parts]
        return Inversion(
            torch.cat([part.x_T.float().cpu().contiguous() for part in parts]),
            sum(part.evaluations for part in parts),
            sum(shares) / len(images),
        )

    def record(self, request: Request, timing: Timing, x_T: Tensor | None = None) -> dict[str, object]:
        """The JSON that goes into every export: everything needed to repeat the run."""
        resolved = replace(
            request.settings,
            spacing=request.settings.spacing or self.checkpoint.defaults.spacing,
            clip=self.clip_range(request) is not None,
        )
        latents = (
            None
            if x_T is None
            else hashlib.sha256(x_T.detach().float().cpu().contiguous().numpy().tobytes()).hexdigest()
        )
        return run_record(self.checkpoint, replace(request, settings=resolved), timing, latents)

"""Pictures of several jobs made together, each distinct one once. Imported with torch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core import Engine, Request
from core.record import run_record
from core.run import Run
from core.timing import Timing
from demo.cache import Cache
from demo.jobs import Finished, Job
from demo.pictures import tiles_picture
from demo.values import base, finished_of

SAME_AT_ANY_BATCH = ("onnxruntime",)  # backends whose pictures are bit-equal whatever they share a batch with


class Tiles:
    """The pictures of some jobs on their way. todo: the x_T still to be computed, each once."""

    def __init__(self, engine: Engine, jobs: Sequence[Job], cache: Cache) -> None:
        self.engine, self.jobs, self.cache = engine, jobs, cache
        self.settings = engine.resolve(jobs[0].request.settings)
        # with η > 0 a picture is its x_T and its own noise: then there is one job, and each picture is its own
        self.apart = self.settings.eta > 0 or engine.backend not in SAME_AT_ANY_BATCH
        self.x_T = {job.name: engine.x_T(job.request) for job in jobs}
        self.keys = {job.name: [self._key(job, i) for i in range(job.request.count)] for job in jobs}
        self.done: dict[object, tuple[NDArray[np.uint8], Timing | None]] = {}
        wanted: dict[object, Any] = {}
        for job in jobs:
            for key, latents in zip(self.keys[job.name], self.x_T[job.name], strict=True):
                known = None if self.apart else cache.get(key)
                if known is not None:
                    self.done[key] = known
                else:
                    wanted.setdefault(key, latents)
        self.todo: list[tuple[object, Any]] = list(wanted.items())
        self.timing: Timing | None = None

    def _key(self, job: Job, i: int) -> object:
        if self.apart:
            return job.name, i
        return picture_key(self.engine, self.settings, self.x_T[job.name][i])

    def run(self) -> Run:
        """Of what is still to be computed."""
        if self.apart:
            assert len(self.jobs) == 1
            return self.engine.run(self.jobs[0].request, max_batch=self.engine.fits)
        x_T = torch.stack([latents for _, latents in self.todo])
        return self.engine.run(Request(tuple(range(len(x_T))), self.settings), x_T, max_batch=self.engine.fits)

    def fill(self, part: int, pixels: NDArray[np.uint8]) -> None:
        """A part is whole."""
        for (key, _), picture in zip(self.todo[part * self.engine.fits :], pixels, strict=False):
            self.done[key] = picture, None

    def timed(self, run: Run) -> None:
        """The run is over: its time belongs to all that it made, which is kept."""
        self.timing = run.timing
        for key, _ in self.todo:
            picture = self.done[key][0]
            self.done[key] = picture, self.timing
            if not self.apart:
                self.cache.put(key, self.done[key], picture.nbytes + 500)

    def pixels(self, job: Job, now: dict[object, NDArray[np.uint8]]) -> tuple[NDArray[np.uint8], list[int]]:
        """(N×H×W×3, and of each tile 2 where it is whole, 1 where it is on its way, 0 where it has not begun)."""
        side, out, states = self.engine.checkpoint.shape[1:], [], []
        for key in self.keys[job.name]:
            whole, moving = self.done.get(key), now.get(key)
            states.append(2 if whole is not None else 1 if moving is not None else 0)
            blank = np.zeros((*side, 3), np.uint8)
            out.append(whole[0] if whole is not None else blank if moving is None else moving)
        return np.stack(out), states

    def value(self, job: Job, progress: float, now: tuple[int, NDArray[np.uint8]] | None) -> dict[str, Any]:
        """What a job shows meanwhile. now: the part that is on its way, and its x̂0."""
        moving: dict[object, NDArray[np.uint8]] = {}
        if now is not None:
            part = self.todo[now[0] * self.engine.fits :]
            moving = {key: picture for (key, _), picture in zip(part, now[1], strict=False)}
        pixels, states = self.pixels(job, moving)
        return base(self.engine, job, "running") | {
            "progress": progress, "tiles": tiles_picture(pixels), "filled": states,
        }  # fmt: skip

    def finished(self, job: Job) -> Finished:
        """The result of a job, with the time of the run that made its pictures."""
        pixels, _ = self.pixels(job, {})
        timing = self.timing or self.done[self.keys[job.name][0]][1]
        assert timing is not None
        request = replace(job.request, settings=self.settings)
        record = run_record(self.engine.checkpoint, request, timing, None)
        made = finished_of(self.engine, job, timing, record, pixels)
        return replace(made, shared=max(0, len(self.todo) - job.request.count) if len(self.jobs) > 1 else 0)


def picture_key(engine: Engine, settings: object, latents: Any) -> object:
    """What a single deterministic picture depends on."""
    digest = hashlib.sha256(latents.numpy().tobytes()).hexdigest()
    return "picture", engine.checkpoint.sha256, engine.backend, engine.precision, str(engine.device), settings, digest


def keep_picture(engine: Engine, finished: Finished, cache: Cache) -> None:
    """The end of a deterministic film is the sample of its seed as well."""
    settings = engine.resolve(finished.job.request.settings)
    if settings.eta == 0 and engine.backend in SAME_AT_ANY_BATCH:
        key = picture_key(engine, settings, engine.x_T(finished.job.request)[0])
        cache.put(key, (finished.pixels[0], finished.timing), finished.pixels.nbytes + 500)

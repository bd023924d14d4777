"""Jobs computed, a step at a time: what each shows while it runs, and its result. Imported with torch.

Every function here is a generator for demo/compute.py: None after a step that shows nothing, so that other work may
come in between; it ends silently as soon as ``over()``.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import Engine, Request, Trajectory
from core.pixels import to_pixels
from core.record import run_record
from core.run import Run
from core.timing import Timing
from demo import words
from demo.cache import Cache
from demo.jobs import Finished, Job
from demo.pictures import film_picture, tiles_picture

PREVIEW_EVERY_S = 0.4  # ten a second made a run of one picture take twice as long on two cores, browser and all
PREVIEW_SHARE = 0.1  # of the run's time, at most
ANSWER_S = 0.05  # of sampling: with the way there and back a first answer takes about 150 ms
PART = 8  # pictures in one network call: more are no faster on a CPU, and a newer change waits for a call to end
SAME_AT_ANY_BATCH = ("onnxruntime",)  # backends whose pictures are bit-equal whatever they share a batch with

Over = Callable[[], bool]


@dataclass(frozen=True)
class Update:
    """What a job shows now, and its result once it has one."""

    job: Job
    value: dict[str, Any]
    finished: Finished | None = None


def made_by(engine: Engine, job: Job) -> tuple[object, ...]:
    """What the result of a job depends on, to the last bit."""
    place = engine.placed.place
    where = engine.checkpoint.sha256, engine.backend, engine.precision, str(engine.device), place.threads
    return (*where, replace(job.request, settings=engine.resolve(job.request.settings)), job.film)


def base(engine: Engine, job: Job, state: str) -> dict[str, Any]:
    """What every value says of its run."""
    s = job.request.settings
    note = words.step_note(s.steps, s.spacing or "") or words.noise_note(
        job.request.between, s.eta, job.request.own_noise
    )
    return {
        "state": state,
        "checkpoint": engine.checkpoint.name,
        "weights": engine.checkpoint.sha256[:8],
        "side": engine.checkpoint.shape[1],
        "n": job.request.count,
        "steps": s.steps,
        "eta": s.eta,
        "label": words.setting_label(s.steps, s.eta) + ("" if s.solver == "ddim" else f" · {words.solver(s.solver)}"),
        "spacing": s.spacing,
        "at": job.request.place,
        "seeds": list(job.request.seeds),
        "note": note,
    }


class Previews:
    """When a run may be shown again: now and then, and for a bounded share of its time."""

    def __init__(self) -> None:
        self.spent_s, self._last_s, self._shown_at = 0.0, 0.0, time.perf_counter()

    @property
    def due(self) -> bool:
        return time.perf_counter() - self._shown_at >= max(PREVIEW_EVERY_S, self._last_s / PREVIEW_SHARE)

    def made(self, started: float) -> None:
        """One was made just now, begun at ``started``."""
        self._shown_at = time.perf_counter()
        self._last_s = self._shown_at - started
        self.spent_s += self._last_s


def few_steps(job: Job, ms: float) -> int | None:
    """At how many steps a job is shown before it runs, where that answers sooner. ms: of an evaluation at its batch."""
    S = job.request.settings.steps
    if job.few is not None:
        return job.few if job.few < S else None
    if not job.answers or ms * S <= 1000 * ANSWER_S * 1.2:
        return None
    few = max(2, int(1000 * ANSWER_S / ms))
    return few if few < S else None


def answer(engine: Engine, job: Job, steps: int, over: Over) -> Iterator[Update | None]:
    """The same x_T at few steps, shown in place of the job until it runs."""
    for update in (
        run_film(engine, job.at(steps), over) if job.film else run_parts(engine, [job.at(steps)], over, Cache(0))
    ):
        if update is None or update.finished is None:
            yield None
            continue
        yield Update(job, update.value | {"state": "coarse"})


def run_film(engine: Engine, job: Job, over: Over) -> Iterator[Update | None]:
    """One picture with its trajectory."""
    run, previews = engine.run(job.request, film=True), Previews()
    film = run.film
    assert film is not None
    for _ in run:
        if over():
            run.close()
            return
        if run.finished or not previews.due:
            yield None
            continue
        started = time.perf_counter()
        value = base(engine, job, "running") | {"progress": run.done / run.evaluations} | _film(film)
        previews.made(started)
        yield Update(job, value)
    started = time.perf_counter()
    x_t, x0_hat = _frames(film)
    finished = _finished(engine, job, run.timing, run.record, x_t[-1:], (x_t, x0_hat), film)
    finished = replace(finished, drawing_s=previews.spent_s + time.perf_counter() - started + run.film_s)
    yield Update(job, value_of(engine, finished), finished)


def run_parts(engine: Engine, jobs: Sequence[Job], over: Over, cache: Cache) -> Iterator[Update | None]:
    """Pictures of one S and η, all jobs' in batches of PART, each distinct x_T once; tiles fill as they come.

    Several jobs must be deterministic. cache: of pictures by their x_T; what it holds is not computed again.
    """
    tiles = Tiles(engine, jobs, cache)
    if tiles.todo:
        run, previews = tiles.run(), Previews()
        for step in run:
            if over():
                run.close()
                return
            part = (run.done - 1) // len(run.plan.steps)
            last = step.index + 1 == len(run.plan.steps)
            if last:
                tiles.fill(part, to_pixels(step.x_next.float().cpu()))
            if run.finished or not (last or previews.due):
                yield None
                continue
            started = time.perf_counter()
            now = None if last else (part, to_pixels(step.x0_hat.float().cpu()))
            values = [tiles.value(job, run.done / run.evaluations, now) for job in jobs]
            previews.made(started)
            for job, value in zip(jobs, values, strict=True):
                yield Update(job, value)
        tiles.timed(run)
    for job in jobs:
        finished = tiles.finished(job)
        yield Update(job, value_of(engine, finished), finished)


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
        import torch

        if self.apart:
            assert len(self.jobs) == 1
            return self.engine.run(self.jobs[0].request, max_batch=PART)
        x_T = torch.stack([latents for _, latents in self.todo])
        return self.engine.run(Request(tuple(range(len(x_T))), self.settings), x_T, max_batch=PART)

    def fill(self, part: int, pixels: NDArray[np.uint8]) -> None:
        """A part is whole."""
        for (key, _), picture in zip(self.todo[part * PART :], pixels, strict=False):
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
            part = self.todo[now[0] * PART :]
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
        made = _finished(self.engine, job, timing, record, pixels)
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


def value_of(engine: Engine, finished: Finished, ddpm_s: float | None = None, cached: bool = False) -> dict[str, Any]:
    """What a result shows. ddpm_s: of DDPM with all T steps at this batch, where it was measured here."""
    job, timing = finished.job, finished.timing
    n, S = job.request.count, job.evaluations
    made = n if not finished.shared else n + finished.shared
    value = base(engine, job, "done") | {
        "progress": 1.0,
        "cached": cached,
        "machine": words.machine(timing.as_dict()),
        "total_s": timing.total_s,
        "readout": words.readout(timing.as_dict(), S, engine.T, round(timing.images_per_s * timing.total_s), ddpm_s,
                                 finished.drawing_s),
    }  # fmt: skip
    if made > n:
        value["readout"][0][2] = words.shared_note(made)
    if finished.film is None:
        return value | {"tiles": finished.shown, "filled": [2] * n}
    t, at_s, x0_at_s = zip(*finished.times, strict=True)
    return value | {"film": finished.shown, "t": list(t), "at_s": list(at_s), "x0_at_s": list(x0_at_s)}


def _finished(
    engine: Engine, job: Job, timing: Timing, record: dict[str, Any], pixels: NDArray[np.uint8],
    frames: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None, film: Trajectory | None = None,
) -> Finished:  # fmt: skip
    shown = tiles_picture(pixels) if frames is None else film_picture(*frames)
    return Finished(
        engine.checkpoint.name, engine.checkpoint.sha256[:8], job, made_by(engine, job), timing, record, shown,
        pixels.copy(),  # not a view, which would keep the whole film
        frames, _times(film) if film else (),
    )  # fmt: skip


def _frames(film: Trajectory) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return np.stack([f.x_t[0] for f in film.frames]), np.stack([f.x0_hat[0] for f in film.frames])


def _times(film: Trajectory) -> tuple[tuple[int, float, float], ...]:
    return tuple((f.t, round(f.reached_s, 4), round(f.elapsed_s, 4)) for f in film.frames)


def _film(film: Trajectory) -> dict[str, Any]:
    t, at_s, x0_at_s = zip(*_times(film), strict=True)
    return {"film": film_picture(*_frames(film)), "t": list(t), "at_s": list(at_s), "x0_at_s": list(x0_at_s)}

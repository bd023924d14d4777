"""Jobs computed, a step at a time: what each shows while it runs, and its result. Imported with torch.

Every function here is a generator for demo/compute.py: None after a step that shows nothing, so that other work may
come in between; it ends silently as soon as ``over()``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core import Engine
from core.branches import spread
from core.pixels import to_pixels
from demo.cache import Cache
from demo.jobs import Finished, Job, Tree
from demo.pictures import tiles_picture
from demo.tiles import Tiles
from demo.values import base, film_value, finished_of, frames_of, value_of

PREVIEW_EVERY_S = 0.4  # ten a second made a run of one picture take twice as long on two cores, browser and all
PREVIEW_SHARE = 0.1  # of the run's time, at most
ANSWER_S = 0.05  # of sampling: with the way there and back a first answer takes about 150 ms

Over = Callable[[], bool]


@dataclass(frozen=True)
class Update:
    """What a job shows now, and its result once it has one."""

    job: Job
    value: dict[str, Any]
    finished: Finished | None = None


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
        value = base(engine, job, "running") | {"progress": run.done / run.evaluations} | film_value(film)
        previews.made(started)
        yield Update(job, value)
    started = time.perf_counter()
    x_t, x0_hat = frames_of(film)
    finished = finished_of(engine, job, run.timing, run.record, x_t[-1:], (x_t, x0_hat), film)
    finished = replace(finished, drawing_s=previews.spent_s + time.perf_counter() - started + run.film_s)
    yield Update(job, value_of(finished), finished)


def run_branches(engine: Engine, job: Job, over: Over) -> Iterator[Update | None]:
    """Branches from one x_t, all at once, with their trajectories."""
    run, previews = engine.run(job.request, film=True), Previews()
    film, branches = run.film, job.request.branches
    assert film is not None
    assert branches is not None
    fork = None
    for step in run:
        if over():
            run.close()
            return
        if step.t == branches.at:
            fork = tiles_picture(to_pixels(step.x_t[:1].float().cpu()))
        if run.finished or not previews.due:
            yield None
            continue
        started = time.perf_counter()
        tiles = tiles_picture(to_pixels(step.x0_hat.float().cpu()))
        value = base(engine, job, "running") | {"progress": run.done / run.evaluations, "tiles": tiles}
        previews.made(started)
        yield Update(job, value)
    assert fork is not None  # its t is one of the steps
    finished = finished_of(engine, job, run.timing, run.record, run.pixels)
    tree = Tree(branches.at, fork, tuple((f.t, f.x0_hat) for f in film.frames), spread(run.images))
    finished = replace(finished, drawing_s=previews.spent_s + run.film_s, tree=tree)
    yield Update(job, value_of(finished), finished)


def run_parts(engine: Engine, jobs: Sequence[Job], over: Over, cache: Cache) -> Iterator[Update | None]:
    """Pictures of one S and η, all jobs' in batches that fit, each distinct x_T once; tiles fill as they come.

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
        yield Update(job, value_of(finished), finished)

"""Pictures carried up to x_T and down again, a step at a time. Imported with torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core import Engine
from core.inversion import Inversion
from core.pixels import from_rgb, to_pixels
from core.timing import Timing
from demo.computing import Previews, Update
from demo.jobs import Finished, Found, Job
from demo.pictures import tiles_picture
from demo.values import base, finished_of, value_of

FRAMES_A_WAY = 20  # of the film

Over = Callable[[], bool]
Film = list[tuple[int | None, NDArray[np.uint8]]]  # (t, or None for a picture; H×W×3)


def run_encoding(engine: Engine, job: Job, over: Over) -> Iterator[Update | None]:
    """A job that begins with pictures: their x_T, and what it makes of them, which for one picture is the way back.

    A generator for demo/compute.py, like those of demo/computing.py.
    """
    encoding, settings = job.encoding, job.request.settings
    assert encoding is not None
    assert encoding.pixels is not None  # View.fitted has left out what could not be found
    wanted = from_rgb(encoding.pixels, engine.checkpoint.shape[0])
    through = [step.t for step in engine.plan(job.request)]
    kept = {round(i * len(through) / FRAMES_A_WAY) for i in range(FRAMES_A_WAY + 1)}
    film: Film = [(None, to_pixels(wanted[:1])[0])]
    previews, up_s, found = Previews(), 0.0, None
    steps, taken = engine.encoding(wanted, settings, encoding.refine), 0
    while found is None:
        if over():
            steps.close()
            return
        started = time.perf_counter()
        try:
            x_t = next(steps)
        except StopIteration as end:
            found = end.value
            break
        finally:
            up_s += time.perf_counter() - started
        taken += 1
        if taken in kept:
            film.append((through[-taken], to_pixels(x_t[:1].float().cpu())[0]))
        yield _preview(engine, job, previews, 0.5 * taken / len(through), film)
    assert isinstance(found, Inversion)
    run, alone = engine.run(job.request, found.x_T, max_batch=engine.fits), job.request.count == 1
    for step in run:
        if over():
            run.close()
            return
        if alone and step.index + 1 in kept:
            last = step.index + 1 == len(through)
            film.append((None if last else through[step.index + 1], to_pixels(step.x_next[:1].float().cpu())[0]))
        if not run.finished:
            yield _preview(engine, job, previews, 0.5 + 0.5 * run.done / run.evaluations, film)
    errors = ((run.images.clamp(-1, 1) - wanted) / 2).double().square().mean(dim=(1, 2, 3)).tolist() if alone else []
    down, calls = run.timing, found.evaluations + run.evaluations
    total_s = up_s + down.total_s
    timing = Timing.of(engine.placed.place, total_s, up_s + down.network_s, calls, job.request.count, run.batch)
    made = Found(
        found.x_T, tuple(errors), np.stack([x for _, x in film]), tuple(t for t, _ in film), calls, found.held_back
    )
    finished: Finished = finished_of(engine, job, timing, run.record, run.pixels)
    finished = replace(finished, found=made, drawing_s=previews.spent_s)
    yield Update(job, value_of(finished), finished)


def _preview(engine: Engine, job: Job, previews: Previews, progress: float, film: Film) -> Update | None:
    """What is on its way, now and then."""
    if not previews.due:
        return None
    started = time.perf_counter()
    value = base(engine, job, "running") | {
        "progress": progress, "seeds": None, "journey": tiles_picture(film[-1][1][None]), "t": [film[-1][0]],
    }  # fmt: skip
    previews.made(started)
    return Update(job, value)

"""What jobs show: their values for the browser, and their results. Imported with torch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import Engine, Trajectory
from core.timing import Timing
from demo import words
from demo.jobs import Finished, Job
from demo.pictures import film_picture, tiles_picture


def made_by(engine: Engine, job: Job) -> tuple[object, ...]:
    """What the result of a job depends on, to the last bit."""
    place = engine.placed.place
    where = engine.checkpoint.sha256, engine.backend, engine.precision, str(engine.device), place.threads
    given = None if job.encoding is None else (job.encoding.digest, job.encoding.refine)
    return (*where, replace(job.request, settings=engine.resolve(job.request.settings)), job.film, given)


def base(engine: Engine, job: Job, state: str) -> dict[str, Any]:
    """What every value says of its run."""
    checkpoint = engine.checkpoint
    return _said(job, state, checkpoint.name, checkpoint.sha256[:8])


def _said(job: Job, state: str, checkpoint: str, weights: str) -> dict[str, Any]:
    request, s = job.request, job.request.settings
    note = words.step_note(s.steps, s.spacing or "") or words.noise_note(request.between, s.eta, request.own_noise)
    return {
        "state": state,
        "checkpoint": checkpoint,
        "weights": weights,
        "n": request.count,
        "steps": s.steps,
        "eta": s.eta,
        "label": words.setting_label(s.steps, s.eta)
        + ("" if s.solver == "ddim" else f" · {words.solver(s.solver)}")
        + ("" if s.label is None else f" · class {s.label}"),
        "spacing": s.spacing,
        "at": request.place,
        "seeds": list(request.seeds),
        "note": note,
    }


def value_of(finished: Finished, ddpm_s: float | None = None, cached: bool = False) -> dict[str, Any]:
    """What a result shows. ddpm_s: of DDPM with all T steps at this batch, where it was measured here."""
    job, timing = finished.job, finished.timing
    n, S = job.request.count, job.evaluations
    made = n if not finished.shared else n + finished.shared
    value = _said(job, "done", finished.checkpoint, finished.weights) | {
        "progress": 1.0,
        "cached": cached,
        "machine": words.machine(timing.as_dict()),
        "total_s": timing.total_s,
        "readout": words.readout(timing.as_dict(), S, finished.T, round(timing.images_per_s * timing.total_s), ddpm_s,
                                 finished.drawing_s),
    }  # fmt: skip
    _, factor, known = value["readout"][3]
    value["headline"] = words.headline(timing.total_s, S, factor, known, finished.T)
    if made > n:
        value["readout"][0][2] = words.shared_note(made)
    if finished.found is not None:
        return value | found_value(finished)
    if finished.film is None:
        return value | {"tiles": finished.shown, "filled": [2] * n}
    t, at_s, x0_at_s = zip(*finished.times, strict=True)
    return value | {"film": finished.shown, "t": list(t), "at_s": list(at_s), "x0_at_s": list(x0_at_s)}


def found_value(finished: Finished) -> dict[str, Any]:
    """What a result adds that began with pictures. Its time is that of both ways, and DDPM has no way up."""
    found, total_s = finished.found, finished.timing.total_s
    assert found is not None
    return {
        "seeds": None,
        "tiles": finished.shown,
        "filled": [2] * finished.job.request.count,
        "journey": tiles_picture(found.film),
        "t": list(found.t),
        "headline": words.found_headline(total_s, found.errors),
        "readout": [
            ["up and down", words.seconds(total_s), "measured"],
            ["network calls", f"{found.evaluations:,}", "measured"],
            *([["refinements ended early", f"{found.held_back:.0%}", "of the steps"]] if found.held_back else []),
        ],
    }


def finished_of(
    engine: Engine, job: Job, timing: Timing, record: dict[str, Any], pixels: NDArray[np.uint8],
    frames: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None, film: Trajectory | None = None,
) -> Finished:  # fmt: skip
    shown = tiles_picture(pixels) if frames is None else film_picture(*frames)
    return Finished(
        engine.checkpoint.name, engine.checkpoint.sha256[:8], engine.T, job, made_by(engine, job), timing, record,
        shown, pixels.copy(),  # not a view, which would keep the whole film
        frames, _times(film) if film else (),
    )  # fmt: skip


def frames_of(film: Trajectory) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return np.stack([f.x_t[0] for f in film.frames]), np.stack([f.x0_hat[0] for f in film.frames])


def _times(film: Trajectory) -> tuple[tuple[int, float, float], ...]:
    return tuple((f.t, round(f.reached_s, 4), round(f.elapsed_s, 4)) for f in film.frames)


def film_value(film: Trajectory) -> dict[str, Any]:
    t, at_s, x0_at_s = zip(*_times(film), strict=True)
    return {"film": film_picture(*frames_of(film)), "t": list(t), "at_s": list(at_s), "x0_at_s": list(x0_at_s)}

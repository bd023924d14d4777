"""From page settings to pictures: which runs a page needs, and what they show while and after they run.

Imported with torch, so only once a model is wanted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core import Engine, Request, SamplerSettings, Step, Trajectory
from core.pixels import to_pixels
from core.timing import Timing
from demo import views
from demo.pictures import film_uri, tiles_uri
from demo.settings import FRAMES, PageSettings

PREVIEW_EVERY_S = 0.1  # faster frames are hardly ever painted by the browser
PREVIEW_SHARE = 0.1  # of the run's time, at most


@dataclass(frozen=True)
class Job:
    """One run that a panel needs. name: "samples", "strip", "a" or "b"."""

    name: str
    request: Request

    @property
    def evaluations(self) -> int:
        return self.request.settings.steps


def jobs(page: PageSettings) -> list[Job]:
    """In the order they are run: single pictures first, since they answer fastest."""
    main = SamplerSettings(page.steps, page.eta, page.spacing)
    other = SamplerSettings(page.steps_b, page.eta_b, page.spacing)
    return [
        Job("a", Request((page.seed,), main)),
        Job("b", Request((page.seed,), other)),
        Job("samples", Request(tuple(range(page.seed, page.seed + page.count)), main)),
        Job("strip", Request((page.seed, page.seed_to), main, frames=FRAMES)),
    ]


@dataclass(frozen=True)
class Shown:
    """What a job shows now. value: for the browser. export: (pictures or trajectory, record) when done."""

    job: Job
    value: dict[str, Any]
    timing: Timing | None = None
    export: tuple[Any, dict[str, object]] | None = None


def base(job: Job, state: str, side: int) -> dict[str, Any]:
    s = job.request.settings
    return {
        "state": state,
        "side": side,
        "n": job.request.count,
        "steps": s.steps,
        "eta": s.eta,
        "label": views.setting_label(s.steps, s.eta),
        "seeds": list(job.request.seeds),
        "note": views.step_note(s.steps, s.spacing or ""),
    }


def run_job(
    engine: Engine, job: Job, over: Callable[[], bool], ddpm_s: Callable[[int], float | None]
) -> Iterator[Shown]:
    """Run one job, showing x̂0 now and then, and at the end the result with its timing.

    Ends silently as soon as ``over()``: the sampler is closed within the step.
    """
    side, steps = engine.checkpoint.shape[1], engine.run(job.request)
    S = job.request.settings.steps
    trajectory = Trajectory(S)
    shown_at, preview_s, last_s = time.perf_counter(), 0.0, 0.0
    step: Step | None = None
    for step in steps:
        if over():
            steps.close()
            return
        started = time.perf_counter()
        single = job.name in "ab"
        if single:
            trajectory.add(step)
        if step.index + 1 < S and started - shown_at >= max(PREVIEW_EVERY_S, last_s / PREVIEW_SHARE):
            value = base(job, "running", side) | {"progress": (step.index + 1) / S}
            value |= _film(trajectory) if single else {"tiles": tiles_uri(to_pixels(step.x0_hat))}
            last_s = time.perf_counter() - started
            preview_s += last_s
            yield Shown(job, value)
            shown_at = time.perf_counter()
        else:
            preview_s += time.perf_counter() - started
    assert step is not None
    timing = Timing.of(engine, step.elapsed_s, step.network_s, S, job.request.count, job.request.count)
    record = engine.record(job.request, timing)
    started = time.perf_counter()
    value = base(job, "done", side) | {"progress": 1.0, "machine": views.machine(timing.as_dict())}
    if job.name in "ab":
        value |= _film(trajectory)
        frames = trajectory.frames
        export: Any = np.stack([f.x_t[0] for f in frames]), np.stack([f.x0_hat[0] for f in frames])
    else:
        export = to_pixels(step.x_next)
        value |= {"tiles": tiles_uri(export)}
    preview_s += time.perf_counter() - started
    n = job.request.count
    value["total_s"] = timing.total_s
    value["readout"] = views.readout(timing.as_dict(), S, engine.T, n, ddpm_s(n), preview_s)
    yield Shown(job, value, timing, (export, record))


def with_steps(request: Request, steps: int) -> Request:
    """The same request at another S."""
    return replace(request, settings=replace(request.settings, steps=steps))


def first_sample(job: Job, value: dict[str, Any], film: Any) -> dict[str, Any]:
    """A finished trajectory (x_t frames, x̂0 frames) as the one picture that the sample panel shows first."""
    kept = {name: value[name] for name in ("readout", "machine", "progress")}
    return base(job, "preview", film[0].shape[1]) | kept | {"tiles": tiles_uri(film[0][-1:])}


def _film(trajectory: Trajectory) -> dict[str, Any]:
    frames = trajectory.frames
    return {
        "film": film_uri(np.stack([f.x_t[0] for f in frames]), np.stack([f.x0_hat[0] for f in frames])),
        "t": [f.t for f in frames],
        "at_s": [round(f.elapsed_s, 4) for f in frames],
    }

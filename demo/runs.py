"""From page settings to pictures: which runs a page needs, and what they show while and after they run.

Imported with torch, so only once a model is wanted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import Engine, Request, SamplerSettings, Trajectory
from core.pixels import to_pixels
from core.timing import Timing
from demo import views
from demo.panels_of import cell_name
from demo.pictures import film_uri, tiles_uri
from demo.settings import FRAMES, SHEET, SHEET_STEPS, PageSettings

PREVIEW_EVERY_S = 0.4  # ten a second made a run of one picture take twice as long on two cores, browser and all
PREVIEW_SHARE = 0.1  # of the run's time, at most, the wait for Gradio to pass them on included
PREVIEW_MOST_S = 0.2
COARSE_S = 0.05  # of sampling: with the way there and back a first answer takes about 150 ms
COARSE_SHEET_STEPS = 4


@dataclass(frozen=True)
class Job:
    """One run that a panel needs. name: "a", "b", "samples", "strip"; "lane0"…; "place", "path", "sheet";
    "cell 20 0.5"… (S and η)."""

    name: str
    request: Request
    coarse: bool = False

    @property
    def evaluations(self) -> int:
        return self.request.settings.steps

    @property
    def film(self) -> bool:
        """Whether its trajectory is kept and shown."""
        return self.name in ("a", "b") or self.name.startswith("lane")


def jobs(page: PageSettings) -> list[Job]:
    """What the view in front needs, in the order it is run: single pictures first, since they answer fastest."""
    main = SamplerSettings(page.steps, page.eta, page.spacing)
    if page.view == "compare":
        settings = [SamplerSettings(lane.steps, lane.eta, lane.spacing) for lane in page.lanes]
        lanes = [Job(f"lane{i}", Request((page.seed,), s)) for i, s in enumerate(settings)]
        return sorted(lanes, key=lambda job: job.evaluations)
    if page.view == "interpolate":
        few = replace(main, steps=min(main.steps, SHEET_STEPS))
        return [
            Job("place", Request(page.corners, main, place=page.place)),
            Job("path", Request(page.keys, main, frames=page.frames, loop=page.loop, own_noise=page.own_noise)),
            Job("sheet", Request(page.corners, few, sheet=SHEET, own_noise=page.own_noise)),
        ]
    if page.view == "grid":
        cells = [SamplerSettings(S, eta, page.spacing) for eta in page.grid_etas for S in page.grid_steps]
        grid = [Job(cell_name(s.steps, s.eta), Request((page.seed,), s)) for s in cells]
        return sorted(grid, key=lambda job: job.evaluations)
    if page.view != "explore":
        return []
    other = SamplerSettings(page.steps_b, page.eta_b, page.spacing)
    return [
        Job("a", Request((page.seed,), main)),
        Job("b", Request((page.seed,), other)),
        Job("samples", Request(tuple(range(page.seed, page.seed + page.count)), main)),
        Job("strip", Request((page.seed, page.seed_to), main, frames=FRAMES)),
    ]


def coarse(job: Job, ms: float) -> Job | None:
    """The same picture at so few steps that it is there at once, where the job itself would take longer.
    ms: of one network evaluation at the job's batch."""
    S = job.request.settings.steps
    if job.name == "sheet":
        few = COARSE_SHEET_STEPS
    elif job.name in ("a", "place") and ms * S > 1000 * COARSE_S * 1.2:
        few = max(2, int(1000 * COARSE_S / ms))
    else:
        return None
    return Job(job.name, with_steps(job.request, few), coarse=True) if few < S else None


@dataclass(frozen=True)
class Shown:
    """What a job shows now. value: for the browser. export: (pictures or trajectory, record) when done."""

    job: Job
    value: dict[str, Any]
    timing: Timing | None = None
    export: tuple[Any, dict[str, object]] | None = None


def base(job: Job, state: str, side: int, weights: str) -> dict[str, Any]:
    s = job.request.settings
    note = views.noise_note(job.request.between, s.eta, job.request.own_noise)
    return {
        "state": state,
        "side": side,
        "weights": weights,
        "n": job.request.count,
        "steps": s.steps,
        "eta": s.eta,
        "label": views.setting_label(s.steps, s.eta),
        "spacing": s.spacing,
        "at": job.request.place,
        "seeds": list(job.request.seeds),
        "note": views.step_note(s.steps, s.spacing or "") or note,
    }


def run_job(
    engine: Engine, job: Job, over: Callable[[], bool], ddpm_s: Callable[[int], float | None]
) -> Iterator[Shown | None]:
    """Run one job, showing x̂0 now and then, and at the end the result with its timing. None after every other step:
    something else may be computed before the next.

    Ends silently as soon as ``over()``: the sampler is closed within the step.
    """
    side, weights = engine.checkpoint.shape[1], engine.checkpoint.sha256[:8]
    run = engine.run(job.request, film=job.film)
    end = "coarse" if job.coarse else "done"
    S = job.request.settings.steps
    shown_at, preview_s, last_s = time.perf_counter(), 0.0, 0.0
    for step in run:
        if over():
            run.close()
            return
        started = time.perf_counter()
        if not job.coarse and not run.finished and started - shown_at >= max(PREVIEW_EVERY_S, last_s / PREVIEW_SHARE):
            value = base(job, "running", side, weights) | {"progress": run.done / S}
            value |= _film(run.film) if run.film else {"tiles": tiles_uri(to_pixels(step.x0_hat))}
            preview_s += time.perf_counter() - started
            yield Shown(job, value)
            shown_at = time.perf_counter()
            last_s = min(shown_at - started, PREVIEW_MOST_S)  # other work may have come in between
        else:
            yield None
    timing = run.timing
    started = time.perf_counter()
    value = base(job, end, side, weights) | {"progress": 1.0, "machine": views.machine(timing.as_dict())}
    if run.film:
        value |= _film(run.film)
        frames = run.film.frames
        export: Any = np.stack([f.x_t[0] for f in frames]), np.stack([f.x0_hat[0] for f in frames])
    else:
        export = run.pixels
        value |= {"tiles": tiles_uri(export)}
    preview_s += time.perf_counter() - started + run.film_s
    n = job.request.count
    value["total_s"] = timing.total_s
    value["readout"] = views.readout(timing.as_dict(), S, engine.T, n, ddpm_s(n), preview_s)
    yield Shown(job, value, timing, (export, run.record))


def with_steps(request: Request, steps: int) -> Request:
    """The same request at another S."""
    return replace(request, settings=replace(request.settings, steps=steps))


def first_sample(job: Job, value: dict[str, Any], film: Any) -> dict[str, Any]:
    """A finished trajectory (x_t frames, x̂0 frames) as the one picture that the sample panel shows first."""
    kept = {name: value[name] for name in ("readout", "machine", "progress")}
    return base(job, "preview", film[0].shape[1], value["weights"]) | kept | {"tiles": tiles_uri(film[0][-1:])}


def cross_fade(pictures: NDArray[np.uint8], keys: int, between: int, loop: bool) -> NDArray[np.uint8]:
    """The same path in pixels: key pictures mixed linearly, for contrast. pictures: the path's frames N×H×W×3,
    of which every ``between``-th is a key's own."""
    at = np.arange(len(pictures)) / between
    low = np.minimum(at.astype(int), keys - 1 if loop else keys - 2)
    ends = pictures[::between][:keys].astype(np.float64)
    w = (at - low)[:, None, None, None]
    return np.rint((1 - w) * ends[low] + w * ends[(low + 1) % keys]).astype(np.uint8)


def differences(lanes: list[tuple[Job, Any]], T: int, known: Any = None) -> dict[str, Any]:
    """How far the runners' pictures are from the most exact one: η = 0 at S = T where it is known, else the
    deterministic runner with most steps, else the first. lanes: (job, (x_t frames, x̂0 frames)) each."""
    order = sorted(lanes, key=lambda lane: (lane[0].request.settings.eta > 0, -lane[0].evaluations))
    reference, label = (
        order[0][1][0][-1],
        views.setting_label(order[0][0].evaluations, order[0][0].request.settings.eta),
    )
    if known is not None:
        reference, label = known, views.setting_label(T, 0.0)
    apart = [film[0][-1].astype(np.float64) - reference for _, film in lanes]
    tiles = np.stack([np.rint(np.clip(128 + d, 0, 255)).astype(np.uint8) for d in apart])
    rms = [float(np.sqrt(np.mean(np.square(d))) / 255) for d in apart]
    return {"reference": label, "tiles": tiles_uri(tiles), "rms": [round(r, 4) for r in rms]}


def _film(trajectory: Trajectory) -> dict[str, Any]:
    frames = trajectory.frames
    return {
        "film": film_uri(np.stack([f.x_t[0] for f in frames]), np.stack([f.x0_hat[0] for f in frames])),
        "t": [f.t for f in frames],
        "at_s": [round(f.reached_s, 4) for f in frames],
        "x0_at_s": [round(f.elapsed_s, 4) for f in frames],
    }

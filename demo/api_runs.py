"""What the endpoints of the API do: check what was asked, and say which runs and which files it takes.

Imported with torch, so only once an endpoint is called. Each endpoint is a generator of JSON values; its last one is
the result, and closing it ends the run within a step.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from core import Request, RequestError, Run, SamplerSettings, files
from core.axes import Axis, cells
from core.files.film import Runner
from core.json_files import shown
from demo import words
from demo.api_stream import Progress, perform
from demo.host import EngineHost
from demo.limits import check_pictures
from demo.run_log import Asked
from demo.shared import Part

MAX_LANES, MAX_CELLS = 4, 48
LANE = {"steps": 20, "eta": 0.0, "spacing": None}


def sample(
    host: EngineHost, checkpoint: object, seeds: object, steps: object, eta: object, spacing: object,
    solver: object = "ddim", label: object = None,
) -> Generator[Progress | Asked, None, None]:  # fmt: skip
    """A picture for each seed: a PNG sheet."""
    request = Request(listed(seeds, "seeds", "[0, 1, 2]"), settings(steps, eta, spacing, solver, label))
    check_pictures(request.count, host.limits)

    def write(suffix: str, runs: list[Run | Part]) -> bytes:
        return files.samples(suffix, runs[0].made)

    yield from perform(host, checkpoint, [request], write, ("samples.png", "x0.npy"), share=True)


def interpolate(
    host: EngineHost, checkpoint: object, seeds: object, steps: object, eta: object, spacing: object,
    frames: object, loop: object, solver: object = "ddim", label: object = None,
) -> Generator[Progress | Asked, None, None]:  # fmt: skip
    """A path through the seeds' latents: a GIF (there and back unless it loops) and a PNG strip."""
    if not isinstance(loop, bool):
        raise RequestError(f"loop must be true or false, not {shown(loop)}.")
    if frames is None:
        raise RequestError("An interpolation needs a number of frames, such as 11.")
    sampler = settings(steps, eta, spacing, solver, label)
    path = Request(listed(seeds, "seeds", "[3, 8]"), sampler, frames=frames, loop=loop)  # type: ignore[arg-type]
    check_pictures(path.count, host.limits)

    def write(suffix: str, runs: list[Run]) -> bytes:
        return files.strip(suffix, runs[0].made)

    names = ("interpolation.gif", "interpolation.png", "x0.npy")
    yield from perform(host, checkpoint, [path], write, names)


def compare(
    host: EngineHost, checkpoint: object, seed: object, lanes: object, label: object = None
) -> Generator[Progress | Asked, None, None]:
    """A race from one x_T: a GIF against the clock, and a PNG of the finished pictures side by side."""
    found = [lane_settings(lane, label) for lane in listed(lanes, "lanes", '[{"steps": 10}, {"steps": 50}]')]
    if not 1 <= len(found) <= MAX_LANES:
        raise RequestError(f"lanes must list one to {MAX_LANES} settings, not {len(found)}.")

    check_pictures(len(found), host.limits)

    def write(suffix: str, runs: list[Run]) -> bytes:
        labels = [words.setting_label(s.steps, s.eta) for s in found]
        runners = [runner(label, run) for label, run in zip(labels, runs, strict=True)]
        return files.race(suffix, runners, [run.made for run in runs])

    requests = [Request((seed,), s) for s in found]  # type: ignore[arg-type]
    yield from perform(host, checkpoint, requests, write, ("race.gif", "race.png", "x0.npy"), films=True)


def grid(
    host: EngineHost, checkpoint: object, columns: object, rows: object, seed: object, steps: object, eta: object,
    spacing: object, solver: object = "ddim", label: object = None,
) -> Generator[Progress | Asked, None, None]:  # fmt: skip
    """One setting across and another down: a PNG with its legend."""
    across, down = axis(columns, "columns", '{"steps": [5, 10, 20]}'), axis(rows, "rows", '{"eta": [0, 0.5, 1]}')
    if len(across.values) * len(down.values) > MAX_CELLS:
        raise RequestError(
            f"A grid has at most {MAX_CELLS} cells, not {len(down.values)} × {len(across.values)}: shorten a list."
        )
    check_pictures(len(across.values) * len(down.values), host.limits)
    base = Request((seed,), settings(steps, eta, spacing, solver, label))  # type: ignore[arg-type]

    def write(suffix: str, runs: list[Run]) -> bytes:
        made = [run.made for run in runs]
        said = words.legend(str(checkpoint), runs[0].plan.request, [one.record for one in made], across, down)
        return files.grid(suffix, made, across, down, said)

    yield from perform(host, checkpoint, cells(base, across, down), write, ("grid.png", "x0.npy"))


def axis(value: object, name: str, example: str) -> Axis:
    """{"steps": [5, 10]}: a setting and its values."""
    if not isinstance(value, dict) or len(value) != 1:
        raise RequestError(f"{name} must be an object of one setting with a list of values, such as {example}.")
    ((setting, values),) = value.items()
    return Axis(setting, listed(values, name, example))


def runner(label: str, run: Run) -> Runner:
    frames = run.film.frames if run.film is not None else []
    return Runner(label, np.stack([f.x_t[0] for f in frames]), tuple(f.reached_s for f in frames))


def settings(
    steps: object, eta: object, spacing: object, solver: object = "ddim", label: object = None
) -> SamplerSettings:
    return SamplerSettings(steps, eta, spacing, solver=solver, label=label)  # type: ignore[arg-type]  # it checks what JSON brought


def lane_settings(lane: object, label: object = None) -> SamplerSettings:
    if not isinstance(lane, dict) or not lane.keys() <= LANE.keys():
        raise RequestError(f"Each lane is an object with {', '.join(LANE)}, not {shown(lane)}.")
    return settings(**{**LANE, **lane}, label=label)


def listed(value: object, name: str, example: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise RequestError(f"{name} must be a list, such as {example}, not {shown(value)}.")
    return tuple(value)

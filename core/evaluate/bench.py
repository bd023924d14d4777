"""The engine beside diffusers' DDIMPipeline and beside the bare network calls: same weights, S and batch, in turns."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any, TypeVar

import torch

from core.device import PRECISIONS
from core.engine import Engine
from core.errors import RequestError
from core.pixels import to_pixels
from core.request import Request, SamplerSettings

Clock = Callable[[], float]
Contender = Callable[[], object]

OURS, BARE, DIFFUSERS = "this engine", "bare network calls", "diffusers DDIMPipeline"
WITHOUT_DIFFUSERS = "diffusers is not installed, so its rows are missing: pip install -r requirements-dev.txt."


@dataclass(frozen=True)
class Times:
    """Seconds of one contender: median, fastest, slowest, and the middle half (quartiles), over ``rounds``."""

    median_s: float
    fastest_s: float
    slowest_s: float
    quartiles_s: tuple[float, float]
    rounds: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Times:
        low, _, high = quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else (seconds[0],) * 3
        return cls(median(seconds), min(seconds), max(seconds), (low, high), len(seconds))


Name = TypeVar("Name")


def in_turns(contenders: Mapping[Name, Contender], rounds: int, clock: Clock = time.perf_counter) -> dict[Name, Times]:
    """Time every contender once a round, each round beginning with another one; one call each before, not timed."""
    if rounds < 1:
        raise RequestError("--rounds must be at least 1.")
    names = list(contenders)
    for name in names:
        contenders[name]()
    seconds: dict[Name, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            started = clock()
            contenders[name]()
            seconds[name].append(clock() - started)
    return {name: Times.of(found) for name, found in seconds.items()}


def diffusers_pipeline(folder: Path, device: torch.device, precision: str) -> Any | None:
    """The pipeline on this device with weights in this precision, or None where diffusers is not installed."""
    try:
        diffusers = importlib.import_module("diffusers")  # a development tool: the engine never needs it
    except ImportError:
        return None
    pipeline = diffusers.DDIMPipeline.from_pretrained(
        folder, dtype=PRECISIONS[precision] or torch.float32, low_cpu_mem_usage=False
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


def synchronised(engine: Engine, do: Contender) -> Contender:
    """The same, returning when the device has finished."""
    if engine.device.type == "cuda":

        def waited() -> None:
            do()
            torch.cuda.synchronize(engine.device)

        return waited
    return do


def contenders(engine: Engine, pipeline: Any | None, steps: int, batch: int) -> dict[str, Contender]:
    """What is timed at one batch: from seeds to finished pictures; for the bare calls, the network alone, S times."""
    request = Request(tuple(range(batch)), SamplerSettings(steps))
    timesteps = [step.t for step in engine.plan(request)]
    x = engine.placed.to_device(torch.zeros(batch, *engine.checkpoint.shape))

    @torch.inference_mode()
    def bare() -> None:
        for t in timesteps:
            engine.network(x, t)

    ours = synchronised(engine, lambda: engine.sample(request, max_batch=batch))  # in one piece, as the others
    found = {OURS: ours, BARE: synchronised(engine, bare)}
    if pipeline is not None:
        clip = engine.checkpoint.defaults.clip_range is not None
        found[DIFFUSERS] = synchronised(
            engine,
            lambda: pipeline(
                batch_size=batch, num_inference_steps=steps, output_type="pt", use_clipped_model_output=clip
            ),
        )
    return found


def side_by_side(
    engines: Sequence[Engine], pipeline: Any | None, steps: int, batch: int
) -> dict[tuple[str, str | None], Contender]:
    """The contenders of several engines of one checkpoint that differ in their backend, and diffusers once: by
    (contender, backend), so that all of them meet in one alternating run."""
    found: dict[tuple[str, str | None], Contender] = {}
    for engine in engines:
        mine = contenders(engine, None, steps, batch)
        found |= {(name, engine.backend): contender for name, contender in mine.items()}
    if pipeline is not None:
        found[DIFFUSERS, None] = contenders(engines[0], pipeline, steps, batch)[DIFFUSERS]
    return found


def first_preview(engine: Engine, steps: int, batch: int, clock: Clock = time.perf_counter) -> float:
    """Seconds from asking for a run until the pixels of its first x̂0 are there; the network is warm."""
    engine.warm_up(batch)
    started = clock()
    run = engine.run(Request(tuple(range(batch)), SamplerSettings(steps)))
    to_pixels(next(run).x0_hat)
    seconds = clock() - started
    run.close()
    return seconds


def psnr(a: torch.Tensor, b: torch.Tensor) -> list[float]:
    """Peak signal to noise in dB of each pair of pictures (N,C,H,W) in [−1,1], sorted: 10·log₁₀(4 / MSE)."""
    mse = (a - b).double().square().mean(dim=(1, 2, 3)).clamp_min(1e-20)
    return sorted((10 * torch.log10(4 / mse)).tolist())

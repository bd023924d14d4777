"""``python -m core bench``: the table of where the time goes, as JSON and Markdown."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from core.arguments import path_from, whole_from
from core.atomic import write_together
from core.backends import BACKENDS
from core.checkpoint import require_no_classes
from core.device import resolve_device, resolve_precision
from core.engine import Engine
from core.errors import RequestError
from core.evaluate import bench, bench_memory
from core.evaluate.bench_gif import gif_rows
from core.evaluate.bench_table import markdown
from core.evaluate.machine import machine, versions
from core.folders import require_files
from core.hub import locate
from core.plain_numbers import whole_numbers
from core.request import Request, SamplerSettings
from core.result import Result

SCHEMA = "ddim-bench/1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=path_from, help="folder in diffusers' layout, or an id of the hub")
    parser.add_argument("--steps", type=whole_from(1), default=20, help="S of every row")
    parser.add_argument("--rounds", type=whole_from(1, 1000), default=5, help="times each row is measured")
    parser.add_argument("--batches", default="1,16,64", help="pictures at once, with commas")
    parser.add_argument("--precisions", default="auto,bf16", help="with commas; auto is fp32")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N, mps")
    parser.add_argument("--threads", type=whole_from(0, 1024), default=0, help="0: torch's choice")
    parser.add_argument("--memory", action=argparse.BooleanOptionalAction, default=True, help="peak memory as well")
    parser.add_argument(
        "--out", type=path_from, help="the JSON; the table lies beside it. Default: docs/bench-NAME.json"
    )


def run(args: argparse.Namespace) -> None:
    batches = whole_numbers(args.batches, "--batches")
    if not batches or min(batches) < 1 or max(batches) > 1024:
        raise RequestError("--batches must be whole numbers from 1 to 1024, such as 1,16,64.")
    if args.threads > 0:
        torch.set_num_threads(args.threads)
    located = locate(args.checkpoint)
    out = args.out or Path("docs") / f"bench-{located.name}.json"
    if out.suffix != ".json":
        raise RequestError(f"--out {out} must be a .json file.")
    require_files(out, out.with_suffix(".md"))
    device = resolve_device(args.device)
    asked = [name.strip() for name in args.precisions.split(",") if name.strip()]
    precisions = list(dict.fromkeys(resolve_precision(name, device) for name in asked))
    if not precisions:
        raise RequestError("--precisions is empty: write auto,bf16.")
    document = measure(Path(located.text), device, precisions, batches, args.steps, args.rounds, args.memory, print)
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    write_together({out: text.encode(), out.with_suffix(".md"): markdown(document).encode()})
    print(f"{out} and {out.with_suffix('.md').name} beside it")


def measure(
    folder: Path,
    device: torch.device,
    precisions: list[str],
    batches: tuple[int, ...],
    steps: int,
    rounds: int,
    memory: bool,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """All rows: times and memory of each contender, precision and batch; previews; GIFs; the error of a precision."""
    where = device.type if device.index is None else str(device)
    engines = {
        precision: [
            Engine.open(folder, where, precision, name)
            for name, backend in BACKENDS.items()
            if backend.why_not(device, precision) is None
        ]
        for precision in precisions
    }
    first = engines[precisions[0]][0]
    require_no_classes(first.checkpoint, "the contenders are timed without")
    first.plan(Request((0,), SamplerSettings(steps)))  # an S that cannot be is refused before anything is timed
    checkpoint = first.checkpoint
    load = os.getloadavg()[0]
    rows: list[dict[str, object]] = []
    previews: list[dict[str, object]] = []
    missing = False
    for precision, sorts in engines.items():
        pipeline = bench.diffusers_pipeline(folder, device, precision)
        missing = missing or pipeline is None
        for batch in batches:
            say(f"{precision}, batch {batch}")
            at = {"precision": precision, "batch": batch}
            timed = bench.in_turns(bench.side_by_side(sorts, pipeline, steps, batch), rounds)
            for (name, by), times in timed.items():
                spent = {}
                if memory:
                    spent = bench_memory.measure(name, folder, str(device), precision, steps, batch, by or "torch")
                rows.append(at | {"contender": name, "backend": by} | asdict(times) | spent)
            for engine in sorts:
                seconds = [bench.first_preview(engine, steps, batch) for _ in range(rounds)]
                previews.append(at | {"backend": engine.backend} | asdict(bench.Times.of(seconds)))
    return {
        "schema": SCHEMA,
        "checkpoint": {"name": checkpoint.name, "sha256": checkpoint.sha256, "shape": list(checkpoint.shape)},
        "steps": steps,
        "auto": resolve_precision("auto", device),
        "rows": rows,
        "previews": previews,
        "gif": gif_rows(first, rounds),
        "precision_error": precision_errors({name: sorts[-1] for name, sorts in engines.items()}, steps),
        "diffusers": None if missing else metadata.version("diffusers"),
        "load_before": load,
        "load_after": os.getloadavg()[0],
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(device),
        "versions": versions(),
    }


def precision_errors(engines: dict[str, Engine], steps: int, pictures: int = 16) -> list[dict[str, object]]:
    """How far each other precision is from fp32, in dB over 16 pictures; empty without fp32."""
    if "fp32" not in engines:
        return []
    request = Request(tuple(range(pictures)), SamplerSettings(steps))
    results: dict[str, Result] = {name: engine.sample(request) for name, engine in engines.items()}
    found = []
    for name, result in results.items():
        if name != "fp32":
            values = bench.psnr(result.images.clamp(-1, 1), results["fp32"].images.clamp(-1, 1))
            found.append(
                {"precision": name, "median_db": values[len(values) // 2], "worst_db": values[0], "n": pictures}
            )
    return found

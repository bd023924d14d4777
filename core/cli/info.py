"""``python -m core info``: what a checkpoint is, what it costs, and what was chosen or inferred."""

from __future__ import annotations

import argparse

from core.arguments import path_from
from core.checkpoint import Checkpoint, open_checkpoint
from core.cost import cost_of
from core.weight_files import files_of

STEPS = 20  # of the example


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "checkpoint", type=path_from, help="a checkpoint of any layout that opens, or a hub's id (docs/checkpoints.md)"
    )


def run(args: argparse.Namespace) -> None:
    for name, value in rows_of(open_checkpoint(args.checkpoint)):
        print(f"{name:<12} {value}")


def rows_of(checkpoint: Checkpoint) -> list[tuple[str, str]]:
    """(what, its value) of each line."""
    schedule, own, config = checkpoint.schedule, checkpoint.defaults, checkpoint.config
    cost = cost_of(config)
    channels, height, width = checkpoint.shape
    stored = sum(path.stat().st_size for path in files_of(checkpoint.weights))
    betas = (
        "a table of its own"
        if schedule.trained_betas is not None
        else schedule.beta_schedule
        if schedule.beta_schedule == "squaredcos_cap_v2"
        else f"{schedule.beta_schedule}, {schedule.beta_start:g} to {schedule.beta_end:g}"
    )
    clip = "not clipped" if own.clip_range is None else f"clipped to ±{own.clip_range:g}"
    rows = [
        ("checkpoint", f"{checkpoint.name}, {checkpoint.sha256[:8]}"),
        ("weights", f"{checkpoint.weights} ({_size(stored)})"),
        ("pictures", f"{channels} × {height} × {width}"),
        ("network", f"{cost.parameters:,} parameters, widths {', '.join(map(str, config.block_out_channels))}"),
        ("schedule", f"T = {schedule.T}, β {betas}"),
        ("predicts", f"{own.prediction_type}; x̂0 {clip}; steps {own.spacing}"),
        ("work", f"{_flop(cost.flop)} a network call, {_flop(STEPS * cost.flop)} a picture of {STEPS} steps, "
                 f"{_flop(schedule.T * cost.flop)} of {schedule.T}"),
        ("memory", f"about {_size(cost.memory(1))} in fp32 for one picture, {_size(cost.memory(16))} for 16 at once, "
                   "besides torch itself"),
    ]  # fmt: skip
    if (classes := config.num_class_embeds) is not None:
        rows.insert(4, ("labels", "1 class" if classes == 1 else f"{classes:,} classes"))
    return rows + [("note", note) for note in checkpoint.notes]


def _size(count: float) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _flop(count: float) -> str:
    return f"{count / 1e12:.3g} TFLOP" if count >= 1e12 else f"{count / 1e9:.3g} GFLOP"

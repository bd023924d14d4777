"""What one looks at while a network trains: unselected samples and the loss so far."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib

from core.atomic import write_atomically

matplotlib.use("Agg")  # files only; a training machine has no screen
import matplotlib.pyplot as plt

from core.engine import Engine
from core.request import Request, SamplerSettings

SHEET_SEEDS = tuple(range(64))
SHEET_STEPS = 50


def sample_sheet(checkpoint: Path, out: Path, device: str = "auto", steps: int = SHEET_STEPS) -> None:
    """Seeds 0–63, none left out, η = 0, as one PNG of 16 columns."""
    Engine.open(checkpoint, device).sample(Request(SHEET_SEEDS, SamplerSettings(steps))).save(out, columns=16)


def read_log(path: Path) -> tuple[list[int], list[float]]:
    """(steps, losses) of a log.jsonl. Steps that a killed run logged and its successor repeated count once."""
    rows: dict[int, float] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        rows[int(row["step"])] = float(row["loss"])
    return sorted(rows), [rows[step] for step in sorted(rows)]


def plot_log(log: Path, out: Path) -> None:
    """The loss curve of a run as PNG; nothing is written before there are two points."""
    steps, losses = read_log(log) if log.is_file() else ([], [])
    if len(steps) < 2:
        return
    figure, axes = plt.subplots(figsize=(6, 3), dpi=110, layout="constrained")
    axes.plot(steps, losses, color="#0b5d5e", linewidth=1)
    axes.set(xlabel="step", ylabel="loss (mean of 100 steps)", yscale="log")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    write_atomically(out, lambda file: figure.savefig(file, format="png"))
    plt.close(figure)

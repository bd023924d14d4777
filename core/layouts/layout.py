"""What a layout finds: the files of one checkpoint. Without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

CONFIG, SCHEDULER, INDEX = "config.json", "scheduler_config.json", "model_index.json"
MAX_T = 100_000
"""The longest schedule that is opened; published ones have 1000 to 4000 steps."""


@dataclass(frozen=True)
class Layout:
    """The files of one checkpoint, which nobody has read yet. The weights need not exist; the configs did when this
    was made, and are None where this layout has none.

    weights: of one file, or the index of its shards. index: the model_index.json beside or above the configs, which
    need not exist. notes: what was chosen among several, a sentence each.
    """

    config: Path | None
    scheduler: Path | None
    weights: Path
    index: Path
    notes: tuple[str, ...] = ()


def is_file(path: Path) -> bool:
    """Like Path.is_file, and False where one may not look or the links go round."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Like Path.is_dir, and False where one may not look or the links go round."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False

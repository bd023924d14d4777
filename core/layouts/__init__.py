"""Where a checkpoint keeps its files: said here and nowhere else, and without torch, so that a page can list
checkpoints before it loads one. A further layout is a file here and a line in ``LAYOUTS``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.errors import CheckpointError
from core.json_files import Fields, path_text, read_json
from core.layouts.authors import find as find_authors
from core.layouts.diffusers import WEIGHTS
from core.layouts.diffusers import find as find_diffusers
from core.layouts.layout import CONFIG, INDEX, MAX_T, SCHEDULER, Layout, is_file, is_folder

__all__ = [
    "CONFIG", "INDEX", "SCHEDULER", "WEIGHTS", "Layout", "find_checkpoints", "find_layout", "layout_of",
    "training_steps",
]  # fmt: skip

LAYOUTS: tuple[Callable[[Path], Layout | None], ...] = (find_diffusers, find_authors)


def find_layout(folder: Path) -> Layout | None:
    """The files of a checkpoint, or None if it is none."""
    return next((layout for layout in (find(folder) for find in LAYOUTS) if layout is not None), None)


def layout_of(folder: Path) -> Layout:
    """The files of a checkpoint. Raises CheckpointError if it is none."""
    if not is_folder(folder) and not is_file(folder):
        raise CheckpointError(
            f"No checkpoint folder at {path_text(folder)}: give the path of a folder with a config.json."
        )
    layout = find_layout(folder)
    if layout is None:
        raise CheckpointError(
            f"{path_text(folder)} is no checkpoint: it needs config.json and scheduler_config.json, "
            "side by side or under unet/ and scheduler/."
        )
    return layout


def find_checkpoints(root: str | Path) -> list[Path]:
    """The checkpoint folders directly under root, by name."""
    root = Path(root)
    try:
        inside = list(root.iterdir())
    except (OSError, ValueError):
        return []
    return sorted(p for p in inside if is_folder(p) and find_layout(p))


def training_steps(folder: Path) -> int | None:
    """T of a checkpoint as its scheduler config says it, or None where it does not; opening it will say why."""
    layout = find_layout(folder)
    if layout is None:
        return None
    if layout.scheduler is None:
        return 1000  # of every network that comes without a schedule
    try:
        values = read_json(layout.scheduler)
        table = values.get("trained_betas")
        if isinstance(table, list) and 1 <= len(table) <= MAX_T:
            return len(table)
        return Fields(SCHEDULER, values, {"num_train_timesteps": 1000}).whole("num_train_timesteps", 1, MAX_T)
    except CheckpointError:
        return None

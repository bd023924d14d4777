"""Where a checkpoint folder keeps its files: said here and nowhere else, and without torch, so that a page can list
checkpoints before it loads one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import CheckpointError

WEIGHTS = "diffusion_pytorch_model.safetensors"
CONFIG, SCHEDULER, INDEX = "config.json", "scheduler_config.json", "model_index.json"

# (folder of the network, folder of the scheduler). Flat: ours, and the published DDPMs. The other: what diffusers'
# ``DDIMPipeline.save_pretrained`` writes.
_LAYOUTS = ((".", "."), ("unet", "scheduler"))


@dataclass(frozen=True)
class Layout:
    """The files of one checkpoint. The weights need not exist; the configs did when this was made."""

    config: Path
    scheduler: Path
    weights: Path


def find_layout(folder: Path) -> Layout | None:
    """The files of a checkpoint folder, or None if it is none."""
    for network, scheduler in _LAYOUTS:
        config, schedule = folder / network / CONFIG, folder / scheduler / SCHEDULER
        if config.is_file() and schedule.is_file():
            return Layout(config, schedule, config.with_name(WEIGHTS))
    return None


def layout_of(folder: Path) -> Layout:
    """The files of a checkpoint folder. Raises CheckpointError if it is none."""
    if not folder.is_dir():
        raise CheckpointError(f"No checkpoint folder at {folder}: give the path of a folder with a config.json.")
    layout = find_layout(folder)
    if layout is None:
        raise CheckpointError(
            f"{folder} is no checkpoint: it needs config.json and scheduler_config.json, "
            "side by side or under unet/ and scheduler/."
        )
    return layout


def find_checkpoints(root: str | Path) -> list[Path]:
    """The checkpoint folders directly under root, by name."""
    root = Path(root)
    return sorted(p for p in root.iterdir() if p.is_dir() and find_layout(p)) if root.is_dir() else []

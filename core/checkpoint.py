"""Checkpoint folders as values: what is in the files, checked, without a network on any device.

Which files there are says core/layouts; a network is made from a checkpoint by ``load_network``.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from core.errors import CheckpointError, RequestError
from core.hub import locate
from core.json_files import path_text, read_json
from core.layouts import CONFIG, INDEX, SCHEDULER, WEIGHTS, Layout, authors, find_checkpoints, layout_of
from core.model_index import check_index
from core.schedule import NoiseSchedule
from core.scheduler_classes import CLASSES
from core.scheduler_config import SamplingDefaults, SchedulerConfig, read_scheduler, scheduler_config
from core.unet import UNet
from core.unet_config import UNetConfig
from core.weight_files import files_of
from core.weights import check_fit, load_network, read_shapes

__all__ = ["Checkpoint", "SamplingDefaults", "find_checkpoints", "open_checkpoint", "save_checkpoint"]

SAVING = ".saving"
"""A file that is there while files of a folder are being replaced, and stays if that was cut short."""
PATIENCE_S = 2.0  # replacing four files takes milliseconds


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint folder says: values only, equal for equal folders, so any number of engines may share one.

    config: of the network that is sampled. weights: the file, or the index of its shards, whose keys and shapes fit
    it. sha256 covers the weights and both configs, so equal hashes mean equal sampling. notes: what was chosen or
    inferred, or is sampled otherwise than one may expect, a sentence each. name: the folder's, or the hub's.
    """

    path: Path
    weights: Path
    config: UNetConfig
    schedule: NoiseSchedule
    defaults: SamplingDefaults
    sha256: str
    notes: tuple[str, ...] = ()
    name: str = ""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one picture."""
        return self.config.in_channels, *self.config.size

    def load_network(self) -> UNet:
        """A network of its own with these weights: on the CPU, in fp32 and eval mode. Raises CheckpointError."""
        return load_network(self.config, self.weights)


def open_checkpoint(folder: str | Path) -> Checkpoint:
    """Open a folder in either layout, or an id of the hub (core/hub.py): everything is checked but the numbers in the
    weights. Raises CheckpointError with the remedy."""
    located = locate(folder)
    folder = located.path
    layout = layout_of(folder)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        before = _state_of(layout)
        found = _read(folder, layout) if before is not None else None
        if found is not None and _state_of(layout) == before:
            return replace(found, name=located.name, notes=(*located.notes, *found.notes))
        if time.monotonic() > deadline:
            raise CheckpointError(
                f"{path_text(folder)} is being replaced, or a save was cut short there: wait and open it again, save "
                f"it again, or remove its {SAVING} file if the weights and configs belong together."
            )
        time.sleep(0.02)


def _state_of(layout: Layout) -> tuple[tuple[int, int, int], ...] | None:
    """What changes whenever one of the files is replaced; None while that is going on."""
    if layout.weights.with_name(SAVING).exists():
        return None
    shards = files_of(layout.weights) if layout.weights.exists() else ()
    files = (layout.config, layout.scheduler, layout.weights, *shards)
    there = [path.stat() for path in files if path is not None and path.exists()]
    return tuple((stat.st_ino, stat.st_mtime_ns, stat.st_size) for stat in there)


def _read(folder: Path, layout: Layout) -> Checkpoint:
    shapes, told = None, tuple[str, ...]()
    if layout.config is None or layout.scheduler is None:
        shapes = read_shapes(layout.weights)
        unet_config, scheduler_values, told = authors.describe(shapes, layout.weights.name)
    else:
        unet_config, scheduler_values = read_json(layout.config), read_json(layout.scheduler)
    scheduler = read_scheduler(scheduler_values)
    if layout.config is not None:
        check_index(layout.index, scheduler.name)
    config = UNetConfig.from_config(unet_config)
    check_fit(shapes or read_shapes(layout.weights), config, layout.weights.name)
    config, halved = _without_variance(config, scheduler)
    digest = hashlib.sha256()
    for path in files_of(layout.weights):
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    for values in (unet_config, scheduler_values):
        kept = {k: v for k, v in values.items() if not k.startswith("_")}
        digest.update(json.dumps(kept, sort_keys=True).encode())
    if CLASSES[scheduler.name].defaults != CLASSES["DDIMScheduler"].defaults:  # what is left out means something else
        digest.update(scheduler.name.encode())
    notes = (*layout.notes, *told, *halved, *scheduler.notes)
    return Checkpoint(folder, layout.weights, config, scheduler.schedule, scheduler.defaults, digest.hexdigest(), notes)


def _without_variance(config: UNetConfig, scheduler: SchedulerConfig) -> tuple[UNetConfig, tuple[str, ...]]:
    """(the network without its answer to the variance, what is to be said of that).

    With a learned variance the first half of the channels is the prediction (Nichol & Dhariwal 2021, and diffusers'
    DDPMScheduler); the rest would only set the noise of an ancestral step, where here η does.
    """
    C, out = config.in_channels, config.out_channels
    if out == C and not scheduler.learned_variance:
        return config, ()
    if out != 2 * C:
        raise CheckpointError(
            f"config.json has {out} out_channels for {C} in_channels: this engine samples networks with as many, or, "
            "where they learned the variance, with twice as many."
        )
    note = f"It learned the variance too: the first {C} of its {out} channels are sampled, and η sets the noise."
    return replace(config, out_channels=C), (note,)


def require_no_classes(checkpoint: Checkpoint, what: str) -> None:
    """Raises RequestError where a network was told of classes, and ``what`` knows of none."""
    classes = checkpoint.config.num_class_embeds
    if classes is not None:
        raise RequestError(f"{checkpoint.name} has {classes} classes, and {what}: give a network without.")


def save_checkpoint(
    folder: str | Path,
    state: Mapping[str, Tensor],
    config: UNetConfig,
    schedule: NoiseSchedule,
    defaults: SamplingDefaults,
) -> None:
    """Write the flat layout that both this engine and ``diffusers.DDIMPipeline.from_pretrained`` open.

    All files are written beside the old ones before the first is replaced, and a marker lies there meanwhile, so
    that nobody takes new weights with old configs for a checkpoint (``open_checkpoint``).
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    scheduler = scheduler_config(schedule, defaults)
    kind = scheduler["_class_name"]
    index = {
        # diffusers' DDIMPipeline turns every other scheduler into a DDIMScheduler
        "_class_name": "DDIMPipeline" if kind == "DDIMScheduler" else "DDPMPipeline",
        "scheduler": ["diffusers", kind],
        "unet": ["diffusers", "UNet2DModel"],
    }
    values = {INDEX: index, SCHEDULER: scheduler, CONFIG: config.to_config()}
    parts = {name: folder / f"{name}.{os.getpid()}.part" for name in (*values, WEIGHTS)}
    try:
        for name, value in values.items():
            parts[name].write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
        tensors = {k: v.detach().float().cpu().contiguous() for k, v in state.items()}
        save_file(tensors, parts[WEIGHTS], metadata={"format": "pt"})
        parts[WEIGHTS].chmod(0o644)  # safetensors writes for its owner only
        marker = folder / SAVING
        marker.touch()
        for name, part in parts.items():
            os.replace(part, folder / name)
        marker.unlink(missing_ok=True)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)

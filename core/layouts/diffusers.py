"""Folders that diffusers writes: a saved pipeline, the flat layout of the published DDPMs, and what accelerate leaves
while a network is trained. Without torch.

    flat            config.json, scheduler_config.json, weights          (ours, and the published DDPMs)
    pipeline        unet/…, scheduler/scheduler_config.json              (``DDPMPipeline.save_pretrained``)
    training        checkpoint-N/unet/… and scheduler/ beside the checkpoint-N folders
Where there is a ``unet_ema`` beside ``unet``, it is the one to sample from: the average of the weights over training.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from core.layouts.layout import CONFIG, INDEX, SCHEDULER, Layout, is_file

WEIGHTS = "diffusion_pytorch_model.safetensors"
NAMES = (
    WEIGHTS,
    f"{WEIGHTS}.index.json",
    "diffusion_pytorch_model.bin",
    "diffusion_pytorch_model.bin.index.json",
    "diffusion_pytorch_model.fp16.safetensors",
    "diffusion_pytorch_model.safetensors.index.fp16.json",
    "diffusion_pytorch_model.fp16.bin",
    "diffusion_pytorch_model.bin.index.fp16.json",
)
"""Files of weights, the one to take first: full precision before half, and no pickle where there is another."""

NETWORKS = ("unet_ema", "unet")  # the one to take first
EMA_NOTE = "The weights are those of unet_ema, the average over training."
_SAVED = re.compile(r"checkpoint-(\d{1,12})", re.ASCII)


def find(folder: Path) -> Layout | None:
    """The files of a checkpoint folder, or None if it is none of these."""
    if is_file(folder / CONFIG) and is_file(folder / SCHEDULER):
        return _network(folder, folder / SCHEDULER, folder / INDEX, ())
    inside = _pipeline(folder, folder)
    if inside is not None:
        return inside
    if _SAVED.fullmatch(folder.name):
        return _pipeline(folder, folder.parent)
    saved = sorted(_saved(folder), reverse=True)
    for _, inner in saved:
        found = _pipeline(inner, folder, (f"It is the newest of {len(saved)} saved while training: {inner.name}.",))
        if found is not None:
            return found
    return None


def _saved(folder: Path) -> list[tuple[int, Path]]:
    """(N, path) of every checkpoint-N in a folder."""
    try:
        names = os.listdir(folder)
    except (OSError, ValueError):
        return []
    found = ((_SAVED.fullmatch(name), name) for name in names)
    return [(int(match[1]), folder / name) for match, name in found if match]


def _pipeline(folder: Path, scheduler_in: Path, notes: tuple[str, ...] = ()) -> Layout | None:
    for name in NETWORKS:
        schedule = scheduler_in / "scheduler" / SCHEDULER
        if is_file(folder / name / CONFIG) and is_file(schedule):
            notes = (*notes, EMA_NOTE) if name == NETWORKS[0] else notes
            return _network(folder / name, schedule, scheduler_in / INDEX, notes)
    return None


def _network(folder: Path, scheduler: Path, index: Path, notes: tuple[str, ...]) -> Layout:
    for name in NAMES:
        if is_file(folder / name):
            half = ("The weights are stored in half precision (fp16).",) if "fp16" in name else ()
            return Layout(folder / CONFIG, scheduler, folder / name, index, (*notes, *half))
    return Layout(folder / CONFIG, scheduler, folder / WEIGHTS, index, notes)


def beside(index: Path) -> list[str]:
    """Folders of further networks beside a model_index.json: a decoder, say, whose latents are no picture."""
    try:
        names = sorted(os.listdir(index.parent))
    except OSError:
        return []
    return [n for n in names if n not in (*NETWORKS, "scheduler") and is_file(index.parent / n / CONFIG)]

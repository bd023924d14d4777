"""Latents as a .npy, and beside it a JSON of how they were found, which says how to decode them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.arrays import UNREADABLE, read_npy
from core.atomic import write_together
from core.checkpoint import Checkpoint
from core.errors import DataError, DDIMError, RequestError
from core.given import digest
from core.inputs import read_json, why
from core.request import SamplerSettings

SCHEMA = "ddim-latents/1"
MAX_LATENTS = 1 << 30  # bytes of x_T, as many as one run makes of pictures (core/cli/room.py)
MAX_NOTES = 1 << 20  # bytes


@dataclass(frozen=True)
class Notes:
    """How latents were found. checkpoint_sha256: as in Checkpoint. settings: the step list and all else that
    sampling needs to give the pictures back. array_sha256: of the float32 values in their order (N, C, H, W)."""

    checkpoint_name: str
    checkpoint_sha256: str
    settings: SamplerSettings
    refine: int
    count: int
    array_sha256: str


@dataclass(frozen=True)
class Latents:
    """x_T: (N, C, H, W) float32 on the CPU. notes: None where there is no JSON beside the file."""

    path: Path
    x_T: Tensor  # noqa: N815  # the field's name
    notes: Notes | None

    @property
    def as_noted(self) -> bool:
        """Whether the notes are about this very array."""
        return self.notes is not None and self.notes.array_sha256 == array_sha256(self.x_T)


def array_sha256(x_T: Tensor) -> str:
    """The digest that a run's record gives as ``latents_sha256``."""
    return digest(x_T.detach().float().cpu().contiguous())


def notes_path(path: Path) -> Path:
    """x_T.npy → x_T.json."""
    return path.with_suffix(".json")


def require_own_notes(path: Path) -> None:
    """Raises RequestError where writing the notes of ``path`` would overwrite a file that is none of ours."""
    beside = notes_path(path)
    try:
        if beside.exists():
            read_notes(beside)
    except DataError as error:
        raise RequestError(f"{beside} is another file, which would be overwritten: choose another --out.") from error


def notes_text(x_T: Tensor, checkpoint: Checkpoint, settings: SamplerSettings, refine: int) -> str:
    """The JSON that belongs beside an array (N, C, H, W). settings: resolved, no field left to a checkpoint's
    default."""
    notes = {
        "schema": SCHEMA,
        "checkpoint": {"name": checkpoint.name, "sha256": checkpoint.sha256},
        "settings": asdict(settings),
        "refine": refine,
        "count": len(x_T),
        "latents_sha256": array_sha256(x_T),
    }
    return json.dumps(notes, indent=2) + "\n"


def write_latents(path: Path, x_T: Tensor, checkpoint: Checkpoint, settings: SamplerSettings, refine: int) -> None:
    """The array and, beside it, its ``notes_text``."""
    text = notes_text(x_T, checkpoint, settings, refine)
    # a kill between the two renames leaves notes whose digest does not fit, which are not followed
    write_together({path: lambda file: np.save(file, x_T.numpy()), notes_path(path): text.encode()})


def read_notes(path: Path) -> Notes:
    """Raises DataError, naming the file, for anything but notes that this program wrote."""
    try:
        raw = read_json(path, MAX_NOTES)
        if raw["schema"] != SCHEMA:
            raise ValueError
        checkpoint, settings = raw["checkpoint"], dict(raw["settings"])
        notes = Notes(
            checkpoint["name"], checkpoint["sha256"], SamplerSettings(**settings), raw["refine"], raw["count"],
            raw["latents_sha256"],
        )  # fmt: skip
        texts = (notes.checkpoint_name, notes.checkpoint_sha256, notes.array_sha256)
        if not all(type(text) is str for text in texts) or {type(notes.refine), type(notes.count)} != {int}:
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, RecursionError, DDIMError) as error:
        raise DataError(
            f"{path} does not tell how latents were found ({SCHEMA}): restore it, or move it away to do without it."
        ) from error
    return notes


def read_latents(path: Path) -> Latents:
    """An array of latents with its notes. Raises DataError, naming the file, for anything else."""
    try:
        array = read_npy(path, MAX_LATENTS)
    except UNREADABLE as error:
        raise DataError(
            f"{path} is no .npy array of latents ({why(error)}): give one array, float32 N×C×H×W."
        ) from error
    if array.dtype.kind != "f" or array.ndim != 4 or not len(array):
        raise DataError(f"{path} holds {array.dtype} {array.shape}; latents are float32 N×C×H×W.")
    beside = notes_path(path)
    notes = read_notes(beside) if beside.is_file() and beside != path else None
    return Latents(path, torch.from_numpy(array.astype(np.float32)), notes)

"""One JSON schema for every export, and reading it back."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from core.checkpoint import Checkpoint
from core.errors import DataError
from core.request import Request, SamplerSettings
from core.timing import Timing

SCHEMA = "ddim-run/1"
PNG_KEY = "ddim"
EXIF_DESCRIPTION = 0x010E  # ImageDescription, the EXIF tag that holds text


def run_record(
    checkpoint: Checkpoint, request: Request, timing: Timing, latents_sha256: str | None
) -> dict[str, object]:
    """request must be resolved: no setting left to a default that could change.

    latents_sha256 is set when x_T was given rather than drawn from the seeds; the file must then be kept too.
    """
    return {
        "schema": SCHEMA,
        "checkpoint": {"name": checkpoint.name, "sha256": checkpoint.sha256},
        "request": asdict(request),
        "latents_sha256": latents_sha256,
        "timing": timing.as_dict(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
    }


def request_of(record: dict[str, object]) -> Request:
    """The Request a record describes. Raises DataError if it is not one of ours."""
    try:
        raw = dict(record["request"])  # type: ignore[call-overload]
        settings = dict(raw.pop("settings"))
        if settings["timesteps"] is not None:
            settings["timesteps"] = tuple(settings["timesteps"])
        if raw.get("place") is not None:  # records of the first version have neither sheet nor place
            raw["place"] = tuple(raw["place"])
        return Request(settings=SamplerSettings(**settings), **{**raw, "seeds": tuple(raw["seeds"])})
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:  # a RequestError is a ValueError
        raise DataError("This record does not describe a run of this program.") from error


def to_text(record: dict[str, object]) -> str:
    """ASCII, since EXIF and GIF comments are safest so."""
    return json.dumps(record, separators=(",", ":"))


def read_record(path: str | Path) -> dict[str, object]:
    """The record inside an exported PNG, GIF or WebP. Raises DataError if there is none."""
    try:
        with Image.open(path) as image:
            found = image.info.get(PNG_KEY) or image.info.get("comment") or image.getexif().get(EXIF_DESCRIPTION)
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise DataError(f"{Path(path).name} is not a picture this program can open.") from error
    text = found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found or "")
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        raise DataError(f"{Path(path).name} carries no run settings: it was not exported by this program.")
    return record

"""Files for the download buttons, encoded when asked for and not before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.export import boomerang, enlarge, gif_bytes, png_bytes, webp_bytes
from core.pixels import sheet

KINDS = {
    "strip-gif": ("strip", "interpolation.gif"),
    "strip-webp": ("strip", "interpolation.webp"),
    "strip-png": ("strip", "interpolation.png"),
    "samples-png": ("samples", "samples.png"),
    "a-gif": ("a", "trajectory-a.gif"),
    "b-gif": ("b", "trajectory-b.gif"),
}


def encode(kind: str, pictures: Any, record: dict[str, object]) -> bytes:
    """The bytes of one export. Trajectories show x_t and x̂0 side by side and hold their end."""
    if kind == "strip-gif":
        return gif_bytes(enlarge(boomerang(pictures)), record)
    if kind == "strip-webp":
        return webp_bytes(enlarge(boomerang(pictures)), record)
    if kind in ("a-gif", "b-gif"):
        x_t, x0_hat = pictures
        frames = np.concatenate([x_t, np.full_like(x_t[:, :, :2], 255), x0_hat], axis=2)
        return gif_bytes(enlarge(frames), record, hold_ms=1500)
    columns = len(pictures) if kind == "strip-png" else None
    return png_bytes(sheet(enlarge(pictures, 84), columns), record)


def write(kind: str, finished: dict[str, Any], folder: Path) -> Path:
    """Write the newest finished run of a panel into a folder. Raises ValueError if there is none."""
    panel, filename = KINDS[kind]
    if panel not in finished or finished[panel][2] is None:
        raise ValueError("There is nothing to download yet: wait until this panel has finished.")
    pictures, record = finished[panel][2]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / filename
    path.write_bytes(encode(kind, pictures, record))
    return path

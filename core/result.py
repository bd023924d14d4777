"""What a run gives back: pictures, timing, and the record that repeats it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from core.export import enlarge, png_bytes, save_pictures
from core.pixels import sheet, to_pixels
from core.timing import Timing


@dataclass(frozen=True)
class Result:
    """images: (N, C, H, W) float32 on the CPU, in about [−1, 1], unrounded. record: all needed to repeat it."""

    images: Tensor
    timing: Timing
    record: dict[str, object]

    def save(self, path: str | Path, columns: int | None = None) -> None:
        """Write by suffix: .png is one sheet (a strip in one row), .gif and .webp an animation, each carrying the
        record; .npy the unrounded array. Raises RequestError for another suffix."""
        path = Path(path)
        if path.suffix.lower() == ".npy":
            with path.open("wb") as file:
                np.save(file, self.images.numpy())
        else:
            save_pictures(path, to_pixels(self.images), self.record, columns or self._columns())

    def _columns(self) -> int | None:
        raw = self.record["request"]
        return len(self.images) if isinstance(raw, dict) and raw["frames"] is not None else None

    def _repr_png_(self) -> bytes:
        """What a notebook shows: the pictures as one sheet, small ones enlarged by whole pixels."""
        return png_bytes(sheet(enlarge(to_pixels(self.images), 84), self._columns()), self.record)

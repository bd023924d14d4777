"""What a run gives back: pictures, timing, and the record that repeats it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from core import files
from core.timing import Timing


@dataclass(frozen=True)
class Result:
    """images: (N, C, H, W) float32 on the CPU, in about [−1, 1], unrounded. record: all needed to repeat it."""

    images: Tensor
    timing: Timing
    record: dict[str, object]

    def save(self, path: str | Path, columns: int | None = None) -> None:
        """Write by suffix: .png is one sheet (a strip in one row), .gif, .webp and .mp4 an animation, each carrying
        the record; .npy the unrounded array. Raises RequestError for another suffix."""
        files.save(Path(path), files.Made(self.record, images=self.images), columns)

    def _repr_png_(self) -> bytes:
        """What a notebook shows: the pictures as one sheet, small ones enlarged by whole pixels."""
        return files.of_run(".png", files.Made(self.record, images=self.images), side=84)

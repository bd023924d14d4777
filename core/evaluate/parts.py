"""Work that survives a kill: a cell is made of parts, each a file that is written whole or not at all."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.atomic import write_atomically
from core.errors import DataError

Arrays = dict[str, NDArray[Any]]
Tick = Callable[[int], None]
"""Called with the number of network evaluations that were just done."""


@dataclass(frozen=True)
class Part:
    """path: the .npz it becomes. evaluations: network calls it is expected to need. make: its arrays, from scratch,
    the same ones every time."""

    path: Path
    evaluations: int
    make: Callable[[Tick], Arrays]

    @property
    def done(self) -> bool:
        return self.path.is_file()

    def finish(self, tick: Tick = lambda _: None) -> None:
        """Make it and write it, with the seconds it took."""
        started = time.perf_counter()
        arrays = self.make(tick)
        seconds = np.float64(time.perf_counter() - started)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(
            self.path, lambda file: np.savez_compressed(file, allow_pickle=False, **arrays, seconds=seconds)
        )


def load(parts: Sequence[Part], name: str) -> NDArray[Any]:
    """One array of all parts: concatenated, or stacked where it is a single number in each. Raises DataError."""
    found = []
    for part in parts:
        try:
            with np.load(io.BytesIO(part.path.read_bytes()), allow_pickle=False) as archive:
                found.append(archive[name])
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise DataError(f"{part.path} cannot be read ({error}): delete it, and it is made again.") from error
    return np.stack(found) if found[0].ndim == 0 else np.concatenate(found)

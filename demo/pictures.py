"""Pictures on their way to the browser: one lossless WebP for many tiles, at native size, sent once and then named."""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pictures = NDArray[np.uint8]  # N×H×W×3
FILM_SIDE = 128  # pixels of a frame: 82 of them are shown on a quarter of the page
MOST_WIDTH = 8192  # of a row of tiles; a WebP ends at 16383


@dataclass(frozen=True)
class Picture:
    """A picture inside a panel's value. uri: its data: URI."""

    uri: str

    @cached_property
    def id(self) -> str:
        """What values call it once the browser has it."""
        return hashlib.sha256(self.uri.encode()).hexdigest()[:16]


def named(value: Any, pictures: dict[str, str]) -> Any:
    """The same value as JSON can hold it, each picture replaced by its id; ``pictures`` gains id → data: URI."""
    if isinstance(value, Picture):
        pictures[value.id] = value.uri
        return value.id
    if isinstance(value, dict):
        return {key: named(one, pictures) for key, one in value.items()}
    return [named(one, pictures) for one in value] if isinstance(value, (list, tuple)) else value


def data_uri(picture: NDArray[np.uint8], quality: int | None = None, tiles: tuple[int, int] = (1, 1)) -> str:
    """H×W×3 → a WebP as data: URI, lossless unless a quality is given: that leaves 11 dB of a noisy 32-pixel tile.
    tiles: (across, down), by which the browser cuts it apart."""
    buffer = io.BytesIO()
    how = {"lossless": True, "method": 0} if quality is None else {"quality": quality, "method": 6}
    Image.fromarray(np.ascontiguousarray(picture)).save(buffer, "WEBP", **how)
    across, down = tiles
    head = f"data:image/webp;tiles={across}x{down};base64,"
    return head + base64.b64encode(buffer.getvalue()).decode()


def row(tiles: Pictures) -> NDArray[np.uint8]:
    """N×H×W×3 → H×(N·W)×3, tiles side by side without gaps; the browser cuts them apart again."""
    n, h, w, c = tiles.shape
    return tiles.transpose(1, 0, 2, 3).reshape(h, n * w, c)


def tiles_picture(tiles: Pictures, quality: int | None = None) -> Picture:
    """One row of tiles; where it would be wider than MOST_WIDTH they are made smaller."""
    shown = smaller(tiles, -(-len(tiles) * tiles.shape[2] // MOST_WIDTH))
    return Picture(data_uri(row(shown), quality, (len(shown), 1)))


def film_picture(x_t: Pictures, x0_hat: Pictures, quality: int | None = None) -> Picture:
    """Two rows of equal length: x_t above, x̂0 below, their sides at most FILM_SIDE."""
    times = -(-max(x_t.shape[1:3]) // FILM_SIDE)
    rows = [row(smaller(frames, times)) for frames in (x_t, x0_hat)]
    return Picture(data_uri(np.concatenate(rows), quality, (len(x_t), 2)))


def smaller(tiles: Pictures, times: int) -> Pictures:
    """Each tile by a whole number of times smaller, to be looked at; files have all pixels."""
    if times <= 1:
        return tiles
    return np.stack([np.asarray(Image.fromarray(np.ascontiguousarray(tile)).reduce(times)) for tile in tiles])

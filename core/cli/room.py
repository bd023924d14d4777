"""How much one command may ask for: refused at once, since a machine that runs out of memory says nothing.

A run keeps its x_T and its pictures as float32, and an encoder holds several copies of its pixels.
"""

from __future__ import annotations

from core.errors import RequestError
from core.pixels import sheet_size

MAX_VALUES = 1 << 28  # numbers of all pictures, channels counted: 1 GiB as float32
MAX_PIXELS = 1 << 25  # of a .png, or of all frames of a .gif, .webp or .mp4: 100 MB before it is encoded


def require_room(
    suffix: str, count: int, shape: tuple[int, int, int], columns: int | None = None, back: bool = False
) -> None:
    """Raises RequestError where ``count`` pictures of shape (C, H, W) are too many for one file of this suffix."""
    channels, height, width = shape
    most = MAX_VALUES // (channels * height * width)
    if count > most:
        raise RequestError(
            f"{count:,} pictures of {height}×{width} are too many at once: ask for up to {most:,}, in parts such as "
            "--seeds 0-999 and 1000-1999."
        )
    if suffix == ".npy":
        return
    if suffix == ".png":
        high, wide = sheet_size(count, height, width, columns)
        pixels = high * wide
    else:
        pixels = count * height * width * (1 + back)
    if pixels > MAX_PIXELS:
        raise RequestError(
            f"A {suffix} of {count:,} pictures has {pixels / 1e6:,.0f} million pixels, and {MAX_PIXELS / 1e6:.0f} "
            "million are the most: ask for fewer pictures or --columns, or let --out end in .npy."
        )

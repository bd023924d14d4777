"""A picture file as the network sees pictures: the middle square, scaled, on white."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from core.errors import DataError
from core.picture_modes import to_srgb

MOVING = ("GIF", "WEBP", "PNG", "AVIF", "FLI")
"""Formats whose further pictures are frames in time."""

STILL = ("MPO", "PSD")
"""Formats whose first picture is the whole: a phone's JPEG with a depth map or a second eye, layers merged."""

# what Pillow's readers raise at a damaged file
UNREADABLE = (
    OSError, ValueError, SyntaxError, EOFError, TypeError, LookupError, ArithmeticError, RuntimeError,
    struct.error, Image.DecompressionBombError,
)  # fmt: skip


def read_picture(path: Path, size: int) -> NDArray[np.uint8]:
    """One file → size×size×3 uint8 in sRGB (core/picture_modes.py): turned as its EXIF says, laid on white, middle
    square, scaled.

    Raises DataError (the reason, without the name) for what is no picture, is animated or has pages, is of numbers
    whose white is not known, or is smaller than ``size``: a blown-up picture is blurred in a way that no network
    was trained on.
    """
    try:
        with Image.open(path) as file:
            pictures = getattr(file, "n_frames", 1)
            if pictures > 1 and file.format not in STILL:
                raise DataError("is an animation" if file.format in MOVING else f"holds {pictures} pictures, not one")
            if min(file.size) < size:
                raise DataError(f"is {file.width}×{file.height}, smaller than {size}×{size}")
            picture = ImageOps.exif_transpose(to_srgb(file))
    except UNREADABLE as error:
        raise DataError("is no readable picture") from error
    page = Image.new("RGBA", picture.size, "white")
    page.alpha_composite(picture)
    return np.asarray(ImageOps.fit(page.convert("RGB"), (size, size), Image.Resampling.LANCZOS))

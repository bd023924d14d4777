"""A picture file as the network sees pictures: the middle square, scaled, on white."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from core.errors import DataError
from core.gif_parts import require_little_text
from core.inputs import open_regular, size_of
from core.picture_modes import to_srgb

MOVING = ("GIF", "WEBP", "PNG", "AVIF", "FLI")
"""Formats whose further pictures are frames in time."""

STILL = ("MPO", "PSD")
"""Formats whose first picture is the whole: a phone's JPEG with a depth map or a second eye, layers merged."""

FORMATS = (
    "PNG", "JPEG", "JPEG2000", "MPO", "GIF", "WEBP", "AVIF", "BMP", "DIB", "TIFF", "PPM", "PSD",
    "TGA", "ICO", "PCX", "SGI", "FLI", "QOI", "DDS", "IM", "MSP", "XBM", "XPM",
)  # fmt: skip
"""Those that hold pixels; not those for which Pillow starts another program, as for PostScript."""

MAX_PIXELS = 50_000_000
MAX_FILE = 256 << 20  # bytes
TOO_LARGE = f"has more than {MAX_PIXELS // 10**6} million pixels: make it smaller"

# what Pillow's readers raise at a damaged file
UNREADABLE = (
    OSError, ValueError, SyntaxError, EOFError, TypeError, LookupError, ArithmeticError, RuntimeError,
    struct.error, Image.DecompressionBombError,
)  # fmt: skip


def _opened(file: BinaryIO) -> Image.Image:
    """Its header, read. Raises DataError or one of UNREADABLE."""
    if size_of(file) > MAX_FILE:
        raise DataError(f"is larger than {MAX_FILE >> 20} MB: make it smaller")
    if file.read(3) == b"GIF":
        file.seek(0)
        require_little_text(file.read())
    file.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MAX_PIXELS is asked for instead
        Image.init()  # else Pillow knows five formats only, until one of them does not fit
        return Image.open(file, formats=[name for name in FORMATS if name in Image.OPEN])


def read_whole(path: Path, least: int = 1, longest: int | None = None) -> NDArray[np.uint8]:
    """One file → H×W×3 uint8 in sRGB (core/picture_modes.py): turned as its EXIF says, laid on white, scaled down until
    no side is above ``longest``.

    Raises DataError (the reason, without the name) for what is no picture, is animated or has pages, is of numbers
    whose white is not known, or has a side below ``least``.
    """
    try:
        with open_regular(path) as raw, _opened(raw) as file:
            pictures = getattr(file, "n_frames", 1)
            if pictures > 1 and file.format not in STILL:
                raise DataError("is an animation" if file.format in MOVING else f"holds {pictures} pictures, not one")
            if file.width * file.height > MAX_PIXELS:  # seen before one of them is decoded
                raise DataError(TOO_LARGE)
            if min(file.size) < least:
                raise DataError(f"is {file.width}×{file.height}, smaller than {least}×{least}")
            picture = ImageOps.exif_transpose(to_srgb(file))
    except Image.DecompressionBombError as error:
        raise DataError(TOO_LARGE) from error
    except UNREADABLE as error:
        raise DataError("is no readable picture") from error
    page = Image.new("RGBA", picture.size, "white")
    page.alpha_composite(picture)
    whole = page.convert("RGB")
    if longest is not None:
        whole.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return np.asarray(whole)


def framed(
    pixels: NDArray[np.uint8], size: int, across: float = 0.5, down: float = 0.5, zoom: float = 1.0
) -> NDArray[np.uint8]:
    """A square of H×W×3 pixels, scaled to size×size. across, down: where between the left and the right edge, the upper
    and the lower, 0 to 1. zoom: the shorter side by the square's, at least 1, and no more than leaves it ``size``
    pixels: a blown-up picture is blurred in a way that no network was trained on."""
    height, width = pixels.shape[:2]
    side = max(min(height, width) / zoom, min(size, height, width))
    left, top = (width - side) * across, (height - side) * down
    box = left, top, left + side, top + side
    return np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.LANCZOS, box))


def read_picture(path: Path, size: int) -> NDArray[np.uint8]:
    """The middle square of ``read_whole``, scaled to size×size×3. Raises DataError as it does, and for a picture that
    is smaller."""
    return framed(read_whole(path, least=size), size)

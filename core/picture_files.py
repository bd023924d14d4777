"""A picture file as the network sees pictures: the middle square, scaled, on white."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import DataError


def read_picture(path: Path, size: int) -> NDArray[np.uint8]:
    """One file → size×size×3 uint8: turned as its EXIF says, laid on white, middle square, scaled.

    Raises DataError (the reason, without the name) for what is no picture, is animated, or is smaller than
    ``size``: a blown-up picture is blurred in a way that no network was trained on.
    """
    try:
        with Image.open(path) as file:
            if getattr(file, "n_frames", 1) > 1:
                raise DataError("is an animation")
            if min(file.size) < size:
                raise DataError(f"is {file.width}×{file.height}, smaller than {size}×{size}")
            picture = ImageOps.exif_transpose(file).convert("RGBA")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError, SyntaxError) as error:
        raise DataError("is no readable picture") from error
    page = Image.new("RGBA", picture.size, "white")
    page.alpha_composite(picture)
    return np.asarray(ImageOps.fit(page.convert("RGB"), (size, size), Image.Resampling.LANCZOS))

"""A folder of pictures as training images; odd files are named and left out."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError
from core.picture_files import read_picture

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
NAMED = 10


def read_folder(folder: Path, size: int) -> NDArray[np.uint8]:
    """Every picture under ``folder``, in the order of the names → N×3×H×W uint8, or N×1×H×W if all are grey.

    Files that cannot be used are named on stderr with the reason. Raises DataError if none can be.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    pictures, odd = [], []
    for path in files:
        try:
            if path.suffix.lower() not in SUFFIXES:
                raise DataError("is no picture by its name")
            pictures.append(read_picture(path, size))
        except DataError as error:
            odd.append(f"{path.relative_to(folder)} {error}")
    if odd:
        more = f"\n  and {len(odd) - NAMED} more" if len(odd) > NAMED else ""
        listed = "\n  ".join(odd[:NAMED])
        print(f"left out {len(odd)} of {len(files)} files in {folder}:\n  {listed}{more}", file=sys.stderr)
    if not pictures:
        raise DataError(f"No picture of at least {size}×{size} pixels in {folder}: give a folder of PNG or JPEG files.")
    images = np.stack(pictures).transpose(0, 3, 1, 2)
    grey = (images == images[:, :1]).all()
    return np.ascontiguousarray(images[:, :1] if grey else images)

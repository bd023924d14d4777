"""Training images as one uint8 array N×C×H×W, from files that this project does not ship."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError

UInt8Array = NDArray[np.uint8]


def read_idx_images(path: Path) -> UInt8Array:
    """An MNIST-style idx3 file, gzipped or not: N×1×H×W uint8. Raises DataError if it is anything else."""
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}): give an idx3 image file.") from error
    if len(raw) < 16 or raw[:4] != b"\x00\x00\x08\x03":  # unsigned bytes, three dimensions
        raise DataError(f"{path} is no idx3 image file: give train-images-idx3-ubyte.gz or its like.")
    n, height, width = (int.from_bytes(raw[i : i + 4], "big") for i in (4, 8, 12))
    if len(raw) != 16 + n * height * width:
        raise DataError(f"{path} says {n} images of {height}×{width} but holds {len(raw) - 16} bytes: fetch it again.")
    return np.frombuffer(raw, dtype=np.uint8, offset=16).reshape(n, 1, height, width)


def read_npz_images(path: Path) -> UInt8Array:
    """``images`` in a .npz: N×H×W×C or N×H×W uint8, returned as N×C×H×W."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            images = archive["images"]
    except (OSError, EOFError, TypeError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} needs an array named 'images' ({error}).") from error
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise DataError(f"'images' in {path} is {images.dtype} {images.shape}; make it uint8 N×H×W×C.")
    images = images[..., None] if images.ndim == 3 else images
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))


def load_images(path: str | Path, size: int) -> UInt8Array:
    """Training images of side ``size``. Raises DataError, naming the file, for anything it cannot use."""
    path = Path(path).expanduser()
    if not path.is_file():
        raise DataError(
            f"No training data at {path}: give an idx3 image file (Debian: apt-get install dataset-fashion-mnist) "
            "or a .npz with an 'images' array."
        )
    images = read_npz_images(path) if path.suffix == ".npz" else read_idx_images(path)
    if images.shape[0] == 0 or images.shape[1] not in (1, 3):
        raise DataError(f"{path} holds {images.shape[0]} images of {images.shape[1]} channels; 1 or 3 are usable.")
    if images.shape[2:] != (size, size):
        raise DataError(f"{path} holds {images.shape[2]}×{images.shape[3]} images; the network wants {size}×{size}.")
    return images

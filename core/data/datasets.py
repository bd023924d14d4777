"""Training images as one uint8 array N×C×H×W, and their labels, from files that this project does not ship."""

from __future__ import annotations

import gzip
import math
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.data.image_folder import read_folder
from core.errors import DataError

UInt8Array = NDArray[np.uint8]


def _read_idx(path: Path, dimensions: int) -> tuple[UInt8Array, tuple[int, ...]]:
    """(payload, shape) of an idx file of unsigned bytes, gzipped or not. Raises DataError at anything else."""
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}): give an idx{dimensions} file.") from error
    header = 4 + 4 * dimensions
    if len(raw) < header or raw[:4] != bytes((0, 0, 8, dimensions)):  # 8: unsigned bytes
        example = "train-images-idx3-ubyte.gz" if dimensions == 3 else "train-labels-idx1-ubyte.gz"
        raise DataError(f"{path} is no idx{dimensions} file: give {example} or its like.")
    shape = tuple(int.from_bytes(raw[i : i + 4], "big") for i in range(4, header, 4))
    if len(raw) != header + math.prod(shape):
        says = f"{shape[0]} images of {shape[1]}×{shape[2]}" if dimensions == 3 else f"{shape[0]} labels"
        raise DataError(f"{path} says {says} but holds {len(raw) - header} bytes: fetch it again.")
    return np.frombuffer(raw, dtype=np.uint8, offset=header), shape


def read_idx_images(path: Path) -> UInt8Array:
    """An MNIST-style idx3 file, gzipped or not: N×1×H×W uint8. Raises DataError if it is anything else."""
    flat, (n, height, width) = _read_idx(path, 3)
    return flat.reshape(n, 1, height, width)


def read_idx_labels(path: Path) -> UInt8Array:
    """The classes (N,) of an MNIST-style idx1 file. Raises DataError if it is anything else."""
    return _read_idx(path, 1)[0]


def read_npz_labels(path: Path) -> dict[str, NDArray[np.generic]]:
    """The arrays ``shape_*`` (classes) and ``colour_*`` (positions 0..1) beside the images of a toon-face .npz."""
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files if name.startswith(("shape_", "colour_"))}


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
    if path.is_dir():
        return read_folder(path, size)
    if not path.is_file():
        raise DataError(
            f"No training data at {path}: give a folder of pictures, a .npz with an 'images' array or an idx3 "
            "image file (Debian: apt-get install dataset-fashion-mnist)."
        )
    images = read_npz_images(path) if path.suffix == ".npz" else read_idx_images(path)
    if images.shape[0] == 0 or images.shape[1] not in (1, 3):
        raise DataError(f"{path} holds {images.shape[0]} images of {images.shape[1]} channels; 1 or 3 are usable.")
    if images.shape[2:] != (size, size):
        raise DataError(f"{path} holds {images.shape[2]}×{images.shape[3]} images; the network wants {size}×{size}.")
    return images

"""Training images as one uint8 array N×C×H×W, and their labels, from files that this project does not ship."""

from __future__ import annotations

import gzip
import io
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.arrays import FREE, MAX_BYTES, PACKED, UNREADABLE, Archive
from core.data.image_folder import read_folder
from core.errors import DataError
from core.inputs import open_regular, read_bounded, size_of, why

UInt8Array = NDArray[np.uint8]


def _unpacked(packed: bytes, most: int) -> bytes:
    """The first ``most`` bytes of a gzipped file. Raises OSError, EOFError or zlib.error."""
    with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
        return file.read(most)


def _read_idx(path: Path, dimensions: int) -> tuple[UInt8Array, tuple[int, ...]]:
    """(payload, shape) of an idx file of unsigned bytes, gzipped or not. Raises DataError at anything else."""
    header, gzipped = 4 + 4 * dimensions, path.suffix == ".gz"
    try:
        packed = read_bounded(path, MAX_BYTES) if gzipped else b""
        with open_regular(path) as file:
            head, holds = _unpacked(packed, header) if gzipped else file.read(header), size_of(file)
        if len(head) < header or head[:4] != bytes((0, 0, 8, dimensions)):  # 8: unsigned bytes
            example = "train-images-idx3-ubyte.gz" if dimensions == 3 else "train-labels-idx1-ubyte.gz"
            raise DataError(f"{path} is no idx{dimensions} file: give {example} or its like.")
        sizes = [int.from_bytes(head[i : i + 4], "big") for i in range(4, header, 4)]
        says, raw = header + math.prod(sizes), b""
        if gzipped:
            if says > max(FREE, PACKED * len(packed)):
                raise ValueError(f"it says {says >> 20:,} MB, more than a file of {len(packed):,} bytes can hold")
            raw = _unpacked(packed, says + 1)  # one byte more than it says is seen, no further one
            holds = len(raw)
        elif holds == says:  # else not a byte of it is of use
            raw = read_bounded(path, min(says, MAX_BYTES))
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({why(error)}): give an idx{dimensions} file.") from error
    if holds != says:
        told = f"{sizes[0]} images of {sizes[1]}×{sizes[2]}" if dimensions == 3 else f"{sizes[0]} labels"
        raise DataError(f"{path} says {told} but holds {holds - header} bytes: fetch it again.")
    return np.frombuffer(raw, dtype=np.uint8, offset=header), tuple(sizes)


def read_idx_images(path: Path) -> UInt8Array:
    """An MNIST-style idx3 file, gzipped or not: N×1×H×W uint8. Raises DataError if it is anything else."""
    flat, (n, height, width) = _read_idx(path, 3)
    return flat.reshape(n, 1, height, width)


def read_idx_labels(path: Path) -> UInt8Array:
    """The classes (N,) of an MNIST-style idx1 file. Raises DataError if it is anything else."""
    return _read_idx(path, 1)[0]


def read_npz_labels(path: Path) -> dict[str, NDArray[np.generic]]:
    """The arrays ``shape_*`` (classes) and ``colour_*`` (positions 0..1) beside the images of a toon-face .npz.

    Raises DataError where they are something else."""
    try:
        with Archive(path) as archive:
            wanted = [name for name in archive.names if name.startswith(("shape_", "colour_"))]
            labels = {name: archive.read(name, FREE) for name in wanted}
    except UNREADABLE as error:
        raise DataError(f"{path} holds labels that cannot be read ({why(error)}): make it again.") from error
    for name, values in labels.items():
        if values.ndim != 1 or values.dtype.kind not in ("uif" if name.startswith("colour_") else "ui"):
            raise DataError(f"{path} has labels of {name} that are {values.dtype} {values.shape}: make it again.")
    return labels


def read_npz_images(path: Path, size: int | None = None) -> UInt8Array:
    """``images`` in a .npz: N×H×W×C or N×H×W uint8, returned as N×C×H×W. size: the side that they must have.

    Raises DataError for anything else, before it is unpacked."""
    try:
        with Archive(path) as archive:
            shape, dtype = archive.about("images")
            if dtype != np.uint8 or len(shape) not in (3, 4):
                raise DataError(f"'images' in {path} is {dtype} {shape}; make it uint8 N×H×W×C.")
            if size is not None:
                _require_usable(path, (shape[0], shape[3] if len(shape) == 4 else 1, *shape[1:3]), size)
            images = archive.read("images")
    except UNREADABLE as error:
        raise DataError(f"{path} needs an array named 'images' ({why(error)}).") from error
    images = images[..., None] if images.ndim == 3 else images
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.uint8)


def _require_usable(path: Path, shape: tuple[int, ...], size: int) -> None:
    """Raises DataError where pictures N×C×H×W are none that a network of this size can see."""
    if shape[0] == 0 or shape[1] not in (1, 3):
        raise DataError(f"{path} holds {shape[0]} images of {shape[1]} channels; 1 or 3 are usable.")
    if shape[2:] != (size, size):
        raise DataError(f"{path} holds {shape[2]}×{shape[3]} images; the network wants {size}×{size}.")


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
    if path.suffix == ".npz":
        return read_npz_images(path, size)
    images = read_idx_images(path)
    _require_usable(path, images.shape, size)
    return images

"""NumPy's files from anywhere: a header is only believed where the file is as long as it says.

NumPy's own reader asks for the memory first, runs into whatever Python says of a header that is no Python, and takes a
pickle, a zip and an array all for what it was given.
"""

from __future__ import annotations

import io
import math
import struct
import tokenize
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from core.inputs import open_regular, size_of

Array = NDArray[np.generic]

MAX_BYTES = 8 << 30  # of one array: twice what training has ever taken
PACKED = 100  # times that an array of more than FREE bytes may be larger than its packed form; flat drawings reach 30
FREE = 256 << 20

# what NumPy, zipfile and the parser of Python raise at a damaged file, and these readers
UNREADABLE = (
    OSError, EOFError, ValueError, TypeError, LookupError, SyntaxError, ArithmeticError, RecursionError, MemoryError,
    NotImplementedError, RuntimeError, struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def read_npy(path: Path, most: int = MAX_BYTES) -> Array:
    """The array of a .npy of at most ``most`` bytes. Raises one of UNREADABLE, with the reason."""
    with open_regular(path) as file:
        if file.read(4) == b"PK\x03\x04":
            raise ValueError("it is an archive")
        file.seek(0)
        return _read(file, size_of(file), most)


class Archive:
    """A .npz that is open; its arrays are looked at by their headers before they are read."""

    def __init__(self, path: Path) -> None:
        """Raises one of UNREADABLE."""
        self._file = open_regular(path)
        try:
            self._zip = zipfile.ZipFile(self._file)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
        self._file.close()

    @property
    def names(self) -> list[str]:
        return [name.removesuffix(".npy") for name in self._zip.namelist()]

    def about(self, name: str) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
        """(shape, dtype) as the header says. Raises one of UNREADABLE."""
        with self._open(name)[0] as file:
            return _header(file)[:2]

    def read(self, name: str, most: int = MAX_BYTES) -> Array:
        """Raises one of UNREADABLE."""
        file, info = self._open(name)
        if info.file_size > FREE and info.file_size > PACKED * info.compress_size:
            raise ValueError(f"{name} would grow to {info.file_size >> 20:,} MB, which no pictures do")
        with file:
            return _read(file, info.file_size, most)

    def _open(self, name: str) -> tuple[BinaryIO, zipfile.ZipInfo]:
        info = self._zip.getinfo(f"{name}.npy")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{name} is packed in a way that NumPy does not use")
        return self._zip.open(info), info  # type: ignore[return-value]


def _header(file: BinaryIO) -> tuple[tuple[int, ...], np.dtype[np.generic], bool]:
    """(shape, dtype, whether Fortran's order), checked to be ones that an array of numbers can have."""
    version = npy.read_magic(file)
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    if version not in readers:
        raise ValueError("it is of an unknown version")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what Python thinks of the header's spelling
        shape, fortran, dtype = readers[version](file)
    if dtype.kind not in "biufcSU" or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError("it holds no plain numbers")
    return shape, dtype, fortran


def _read(file: BinaryIO, size: int, most: int) -> Array:
    """The array at the start of a file of ``size`` bytes."""
    shape, dtype, fortran = _header(file)
    says, holds = math.prod(shape) * dtype.itemsize, size - file.tell()
    if says > most:
        raise ValueError(f"it says {says / 1e6:,.0f} MB, and {most / 1e6:,.0f} MB are the most")
    if says != holds:
        raise ValueError(f"it says {says:,} bytes and holds {holds:,}")
    data = bytearray(says)
    view, at = memoryview(data), 0
    while at < says:
        more = file.readinto(view[at:]) if isinstance(file, io.BufferedIOBase) else 0  # a zip's may take several calls
        if not more:
            raise EOFError("it ends early")
        at += more
    values = np.frombuffer(data, dtype) if says else np.empty(0, dtype)
    return values.reshape(shape[::-1]).transpose() if fortran else values.reshape(shape)

"""Ways in which a file is not what it should be: bytes changed, cut, swollen, or another thing in its place.

Each is a value with a plain repr, so that hypothesis can make it smaller and a person can make it again.
"""

import gzip
import os
import shutil
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import hypothesis.strategies as st

from tests.fuzz.values import picked

EVERYTHING = 1 << 60
NUMBERS = [b"\0\0\0\0", b"\xff\xff\xff\xff", b"9999", b"-1, ", b"((((", b"\x7f\xff\xff\xff", b"\0\0\xc0\x7f"]
WORDS = [b"NaN", b"1e999", b'"\\ud800"', b"[" * 5000, b"{" * 5000, b"9" * 5000]


@dataclass(frozen=True)
class Edit:
    """``taken`` bytes from ``at`` on become ``put``. at: counted round and round in a shorter file; −1 is its end."""

    at: int
    taken: int
    put: bytes

    def of(self, data: bytes) -> bytes:
        at = self.at % (len(data) + 1)
        return data[:at] + self.put + data[at + self.taken :]

    def __call__(self, path: Path) -> None:
        path.write_bytes(self.of(path.read_bytes()))


@dataclass(frozen=True)
class Swollen:
    """Zeros at the end."""

    count: int

    def __call__(self, path: Path) -> None:
        with path.open("ab") as file:
            file.truncate(path.stat().st_size + self.count)


@dataclass(frozen=True)
class Other:
    """From ``at`` on another file that lies beside; from 0 on it is that one under a wrong name."""

    name: str
    at: int

    def __call__(self, path: Path) -> None:
        data = path.read_bytes()
        path.write_bytes(data[: self.at % (len(data) + 1)] + path.with_name(self.name).read_bytes())


@dataclass(frozen=True)
class Instead:
    """One of INSTEAD in its place."""

    what: str

    def __call__(self, path: Path) -> None:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        INSTEAD[self.what](path)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 42)


def _png_bomb() -> bytes:
    """A PNG of 60,000 × 60,000 pixels in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(999))) + chunk(b"IEND", b"")


def _npy_bomb(path: Path) -> None:
    """A .npy whose header claims 4 TB."""
    head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1048576, 1024, 1024), }".ljust(117) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head)


def _gzip_bomb(path: Path) -> None:
    """A gigabyte of zeros; many members in a row are one file."""
    path.write_bytes(gzip.compress(bytes(1 << 23), 1) * 128)


INSTEAD = {
    "a link to itself": lambda path: path.symlink_to(path),
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
    "a sparse file of 4 TB": _sparse,
    "a deep nest": lambda path: path.write_text('{"a":' + "[" * 200_000 + "]" * 200_000 + "}"),
    "an endless number": lambda path: path.write_text('{"num_train_timesteps": ' + "9" * 100_000 + "}"),
    "megabytes": lambda path: path.write_text('{"a": "' + "x" * 5_000_000 + '"}'),
    "no text": lambda path: path.write_bytes(bytes(range(256))),
    "nothing": lambda path: path.write_bytes(b""),
    "no file": lambda path: None,
    "a link to nowhere": lambda path: path.symlink_to("nowhere"),
    "endless zeros": lambda path: path.symlink_to("/dev/zero"),
    "a picture of 3,600 megapixels": lambda path: path.write_bytes(_png_bomb()),
    "an array of 4 TB in 128 bytes": _npy_bomb,
    "a packed gigabyte": _gzip_bomb,
}

AT = st.integers(0, 300) | st.integers(0, 1 << 17)
EDITS = st.one_of(
    st.builds(Edit, AT, st.just(1), st.binary(min_size=1, max_size=1)),
    st.builds(Edit, AT, st.just(1), st.binary(min_size=1, max_size=1)),
    st.builds(Edit, AT, st.just(4), st.sampled_from(NUMBERS)),
    st.builds(Edit, AT, st.integers(0, 8), picked(WORDS) | st.binary(max_size=8)),
    st.builds(Edit, AT, st.just(EVERYTHING), st.just(b"")),
)


def spoils(others: list[str]) -> st.SearchStrategy:
    """One to three of them. others: names of the files that lie beside."""
    one = st.one_of(
        EDITS, EDITS, st.builds(Swollen, st.sampled_from([1, 999, 1 << 20])),
        st.builds(Other, st.sampled_from(others), st.just(0) | AT),
    )  # fmt: skip
    return st.lists(one, min_size=1, max_size=3) | st.sampled_from(list(INSTEAD)).map(lambda what: [Instead(what)])

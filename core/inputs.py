"""Files that come from anywhere, opened and read within bounds.

A pipe would wait for ever, a device never end, and a text can be made to exhaust the parser.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

MAX_JSON = 16 << 20  # bytes; the largest that this project writes, an evaluation, takes a few hundred thousand


def open_regular(path: str | Path) -> BinaryIO:
    """A file that has an end, open for reading. Raises OSError with the reason for anything else."""
    # without waiting: a pipe that nobody writes to would keep even the opening
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(None, "it is no regular file", str(path))
    return open(descriptor, "rb")


def size_of(file: BinaryIO) -> int:
    """Bytes of an open file."""
    return os.fstat(file.fileno()).st_size


def read_bounded(path: str | Path, most: int) -> bytes:
    """All of a file. Raises OSError where it is no regular file or holds more bytes than ``most``."""
    with open_regular(path) as file:
        data = file.read(most + 1) if size_of(file) <= most else None  # it may grow meanwhile
    if data is None or len(data) > most:
        raise OSError(None, f"it holds more than {most:,} bytes", str(path))
    return data


def parse_json(text: str | bytes) -> Any:
    """What a JSON says. Raises ValueError for all that is none, NaN, infinity and 1e999 among it, and for a text
    nested so deep that Python gives up."""

    def refuse(word: str) -> NoReturn:
        raise ValueError(f"{word[:40]} is no number of JSON")

    def finite(word: str) -> float:
        number = float(word)
        if number - number != 0:
            refuse(word)
        return number

    try:
        return json.loads(text, parse_constant=refuse, parse_float=finite)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def read_json(path: str | Path, most: int = MAX_JSON) -> Any:
    """What a JSON file says. Raises OSError or ValueError."""
    return parse_json(read_bounded(path, most).decode("utf-8"))


def why(error: Exception) -> str:
    """The reason of an error in a few words: its own, without the number and the path that Python adds."""
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return text if len(text) <= 100 else f"{text[:99]}…"

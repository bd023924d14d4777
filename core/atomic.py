"""Files that are there whole or not at all: the one way by which this program writes what people keep."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from core.errors import RequestError

Content = bytes | Callable[[BinaryIO], object]
"""The bytes of a file, or a function that writes them to it, for what need not be in memory as a whole."""

_numbers = itertools.count()


def write_atomically(path: Path, content: Content) -> None:
    """Write beside the target, then rename: a reader never sees half a file. See ``write_together``."""
    write_together({path: content})


def write_together(files: Mapping[Path, Content]) -> None:
    """Write files that belong together: all are complete before the first takes its name.

    Where writing fails, by a full disk or Ctrl-C, every target stays as it was and no part is left. A link stays one:
    what it points to is replaced. A character device, such as /dev/null, is written to before anything is renamed.
    Raises OSError with the target's name, RequestError for a pipe or a socket.
    """
    targets = {path: target_of(path) for path in files}
    parts: dict[Path, Path] = {}
    at = Path()
    try:
        for path, content in files.items():
            at, target = path, targets[path]
            if _is_device(target):
                with target.open("wb", buffering=0) as device:
                    _write_all(device, content)
                continue
            # of a length that any name leaves room for; two processes, or two threads of one, may write one target
            part = target.with_name(f"{target.name[:40]}.{os.getpid()}-{next(_numbers)}.part")
            parts[path] = part
            # for reading too: to a file for writing alone NumPy writes through C, which keeps a full disk to itself
            with part.open("w+b") as file:
                _write_all(file, content)
        for path, part in parts.items():
            at = path
            os.replace(part, targets[path])
    except OSError as error:
        error.filename, error.filename2 = str(at), None  # not the part's name, nor none at all, as for a full disk
        raise
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def target_of(path: Path) -> Path:
    """Where a file of this name is written: itself, or what it links to.

    Raises RequestError for what is neither a file, nor to become one, nor a device that takes bytes.
    """
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return target
    if not (stat.S_ISREG(mode) or stat.S_ISCHR(mode) or stat.S_ISDIR(mode)):  # renaming to a folder fails by itself
        raise RequestError(f"{path} is a pipe, a socket or a disk, which cannot be written whole: name a file.")
    return target


def _is_device(target: Path) -> bool:
    return target.is_char_device()


def _write_all(file: BinaryIO, content: Content) -> None:
    if callable(content):
        content(file)
        return
    rest = memoryview(content)
    while rest:  # an unbuffered file may take less than it is given
        rest = rest[file.write(rest) :]

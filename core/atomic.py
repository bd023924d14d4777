"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def write_atomically(path: Path, content: bytes | Callable[[BinaryIO], object]) -> None:
    """Write beside the target, then rename: a reader never sees half a file.

    content: the bytes, or a function that writes them to an open file, for what need not be in memory as a whole.
    Where writing fails, by a full disk or Ctrl-C, the target stays as it was and the part is removed.
    """
    # two processes, or two threads of one, may write one target
    part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with part.open("wb") as file:
            if callable(content):
                content(file)
            else:
                file.write(content)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise

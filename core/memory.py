"""Whether an error says that memory ran out. torch has a type for a GPU's alone, ONNX Runtime none at all."""

from __future__ import annotations

import errno
import re

WORDS = re.compile(r"allocate memory|out of memory|bad[ _]alloc|alloc_cpu|AllocateRaw", re.IGNORECASE)


def ran_out(error: BaseException) -> bool:
    """True for Python's, the system's, torch's and ONNX Runtime's ways to say it."""
    if isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__:
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return WORDS.search(str(error)) is not None

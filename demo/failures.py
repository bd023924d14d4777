"""What is said of an error that ends a run or a file: one sentence with a remedy, and how the log names the end.

The kinds enter here, where the page, the API and downloads turn exceptions into words. Memory may run out in any line
of a run, so no narrower place would do.
"""

from __future__ import annotations

import errno
import sys
import traceback
from typing import NamedTuple

from core.memory import ran_out
from demo import words
from demo.compute import ClosingError

MEMORY = "The memory of this machine does not suffice: choose fewer pictures, then try again."
DISK = "The server's disk is full: whoever runs it must free some space, then try again."
FOLDER = "The server cannot write to its temporary folder: whoever runs it must see to that folder, then try again."

NO_FOLDER = (errno.ENOENT, errno.EACCES, errno.EROFS, errno.ENOTDIR, errno.EEXIST)  # the last: a file is in its place


class Failure(NamedTuple):
    """sentence: for the user. outcome: for the log."""

    sentence: str
    outcome: str


def failure(error: BaseException) -> Failure:
    """What an exception comes to. What was not meant for users is told on stderr, too: in a line where it is
    understood, with its traceback where it is not."""
    from core import DDIMError, NetworkError

    if isinstance(error, ClosingError):
        return Failure(str(error), "stopped")
    if isinstance(error, DDIMError):
        return Failure(str(error), "failed" if isinstance(error, NetworkError) else "refused")
    sentence = foreseen(error)
    if sentence is None:
        traceback.print_exception(error)
        return Failure(words.failure_note(type(error).__name__), "failed")
    print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    return Failure(sentence, "failed")


def foreseen(error: BaseException) -> str | None:
    """What befalls any machine, in words; None for all else."""
    if ran_out(error):
        return MEMORY
    if not isinstance(error, OSError):
        return None
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DISK
    return FOLDER if error.errno in NO_FOLDER else None

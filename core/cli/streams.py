"""What a person or a script is told, on streams that may be narrow, full or closed."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Callable

LONGEST = 290  # characters of an error, its line end not counted
LONGEST_WORD = 120  # of which a path is one
CLOSED = 141  # what a shell reports of a program whose reader went away


def one_line(text: str) -> str:
    """Any message as one line of at most LONGEST characters: what is too long loses its middle, since the remedy
    stands at the end. Half characters and control characters become escapes."""
    plain = " ".join(text.split())
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in plain)
    plain = re.sub(rf"\S{{{LONGEST_WORD},}}", lambda word: _shortened(word[0], LONGEST_WORD), plain)
    return _shortened(plain, LONGEST)


def _shortened(text: str, most: int) -> str:
    half = (most - 1) // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


def guarded(run: Callable[[], int]) -> int:
    """Run a program whose output may be shown anywhere, and return its exit status.

    Characters that a terminal lacks are replaced. A reader that goes away ends the program in silence, a full disk
    under its output with one line: in both cases before the interpreter would tell of it in its own way.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed when the program began; files that it opens must not take the place
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace" if name == "stderr" else "replace")
    try:
        try:
            status = run()
        except SystemExit as stop:  # argparse's way
            status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        sys.stdout.flush()
    except BrokenPipeError:
        status = CLOSED
    except OSError as error:
        with contextlib.suppress(OSError):
            print(f"stdout cannot be written: {error.strerror}", file=sys.stderr)
        status = 2
    else:
        return status
    silence = os.open(os.devnull, os.O_WRONLY)  # else the interpreter flushes once more at its end, and complains
    with contextlib.suppress(OSError, ValueError):
        os.dup2(silence, sys.stdout.fileno())
    return status

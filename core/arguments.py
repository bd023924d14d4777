"""Words of a command line as values: a few strict readers, each with its bounds, for argparse's ``type``.

What they refuse, argparse shows as one line under the option's name. Bounds keep out what no machine could do; what a
checkpoint or the memory cannot do is refused later, where it is known.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable
from pathlib import Path

from core.plain_numbers import excerpt, plain_whole

MAX_PATH, MAX_NAME = 4096, 255  # bytes, as Linux has them
MAX_SEED = 2**53 - 1
LARGEST = 10**9


def whole_from(low: int, high: int = LARGEST) -> Callable[[str], int]:
    """A reader of whole numbers within low..high, both included."""

    def read(text: str) -> int:
        try:
            number = plain_whole(text)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"give a whole number from {low} to {high}, not {excerpt(text)}")
        return number

    return read


def real_from(low: float, high: float, above: bool = False) -> Callable[[str], float]:
    """A reader of finite numbers within low..high; with ``above``, low itself is refused."""

    def read(text: str) -> float:
        try:
            number = math.nan if "_" in text else float(text)
        except ValueError:
            number = math.nan
        if not low <= number <= high or (above and number == low):
            at = "above" if above else "from"
            raise argparse.ArgumentTypeError(f"give a number {at} {low:g} to {high:g}, not {excerpt(text)}")
        return number

    return read


def path_from(text: str) -> Path:
    """The name of a file or a folder, as the system can hold it. An empty one would mean the current folder."""
    try:
        raw = os.fsencode(text)
        Path(text).expanduser()
    except UnicodeEncodeError:
        raw = b"\0"
    except RuntimeError as error:
        raise argparse.ArgumentTypeError(f"{excerpt(text)} names a user whom this machine does not know") from error
    if not raw:
        raise argparse.ArgumentTypeError("the name is empty: write . for the current folder")
    if b"\0" in raw:
        raise argparse.ArgumentTypeError(f"{excerpt(text)} holds characters that no name can have")
    if len(raw) >= MAX_PATH or max(map(len, raw.split(b"/"))) > MAX_NAME:
        raise argparse.ArgumentTypeError(f"{excerpt(text)} is too long for a name: shorten it")
    return Path(text)

"""Small JSON files that others wrote: read within bounds, and each value asked for by its kind. Without torch."""

from __future__ import annotations

import json
import reprlib
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.errors import CheckpointError

MAX_BYTES = 4_000_000  # a table of 100,000 β is 2.5 MB, every other config a few kB

_REPR = reprlib.Repr()
_REPR.maxstring, _REPR.maxlevel = 50, 2


def shown(value: object) -> str:
    """A value as an error quotes it: whatever a file holds, no more than a few words of it."""
    text = _REPR.repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def read_json(path: Path) -> dict[str, object]:
    """The JSON object of a file. Raises CheckpointError, naming the file, for anything else."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            raise CheckpointError(f"{path_text(path)} is not a file: put the JSON file itself there.")
        if status.st_size > MAX_BYTES:
            raise CheckpointError(
                f"{path_text(path)} holds {status.st_size:,} bytes, too many for a config: restore it."
            )
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f"{path_text(path)} is missing: point to a folder in diffusers' layout.") from error
    except (OSError, ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:80]
        raise CheckpointError(
            f"{path_text(path)} cannot be read as JSON ({why}): restore it from its source."
        ) from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path_text(path)} must hold one JSON object: restore it from its source.")
    return value


def path_text(path: Path) -> str:
    """A path as an error names it: the end of a long one."""
    text = str(path)
    return text if len(text) <= 120 else "…" + text[-119:]


class Fields:
    """The values of one JSON object. An absent key has its default; a value of another kind or beyond its bounds is
    a CheckpointError that names file, key and value."""

    def __init__(self, file: str, values: Mapping[str, object], defaults: Mapping[str, object] | None = None) -> None:
        self.file, self._values = file, {**(defaults or {}), **values}

    def value(self, key: str) -> object:
        return self._values.get(key)

    def refuse(self, key: str, wanted: str) -> CheckpointError:
        return CheckpointError(f"{self.file} sets {key} to {shown(self.value(key))}: it must be {wanted}.")

    def whole(self, key: str, low: int, high: int) -> int:
        value = self.value(key)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.refuse(key, f"a whole number from {low} to {high}")
        return value

    def number(self, key: str, low: float, high: float) -> float:
        """A finite number with low < it < high."""
        value = self.value(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low < value < high:
            raise self.refuse(key, f"a number between {low:g} and {high:g}")
        return float(value)

    def flag(self, key: str) -> bool:
        value = self.value(key)
        if not isinstance(value, bool):
            raise self.refuse(key, "true or false")
        return value

    def choice(self, key: str, known: Sequence[str]) -> str:
        value = self.value(key)
        if not isinstance(value, str) or value not in known:
            raise self.refuse(key, f"{', '.join(known[:-1])} or {known[-1]}" if len(known) > 1 else known[0])
        return value

    def wholes(self, key: str, length: int, low: int, high: int) -> tuple[int, ...]:
        """At most ``length`` whole numbers from low to high."""
        value = self.value(key)
        good = isinstance(value, (list, tuple)) and 1 <= len(value) <= length
        if not good or not all(type(x) is int and low <= x <= high for x in value):  # type: ignore[attr-defined]
            raise self.refuse(key, f"a list of 1 to {length} whole numbers from {low} to {high}")
        return tuple(value)  # type: ignore[arg-type]

    def numbers(self, key: str, length: int, low: float, high: float) -> tuple[float, ...]:
        """At most ``length`` numbers, each with low < it < high."""
        value = self.value(key)
        good = isinstance(value, (list, tuple)) and 1 <= len(value) <= length
        if not good or not all(type(x) in (int, float) and low < x < high for x in value):  # type: ignore[attr-defined]
            raise self.refuse(key, f"a list of 1 to {length} numbers between {low:g} and {high:g}")
        return tuple(float(x) for x in value)  # type: ignore[attr-defined]

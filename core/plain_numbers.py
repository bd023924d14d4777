"""Numbers of whatever library – Python's, NumPy's, torch's – as Python's own, or a sentence that says what is wanted.

A request keeps plain ints, floats and bools only, so that requests compare, hash and are written as JSON.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable

from core.errors import RequestError

EXCERPT = 40
MAX_LISTED = 10_000  # numbers in one word of a command line
_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")


def excerpt(value: object) -> str:
    """What was given, in a few words: short values as they are, long ones cut, anything else by its type."""
    if isinstance(value, str):
        return repr(str(value)) if len(value) <= EXCERPT else f"{str(value[:EXCERPT])!r}…"
    if value is None or isinstance(value, (bool, float)):
        return repr(value)
    if isinstance(value, int):  # Python refuses to write thousands of digits, and nobody would read them
        return str(value) if abs(value) < 10**EXCERPT else f"a number of more than {EXCERPT} digits"
    return f"something of type {type(value).__name__[:EXCERPT]}"


def unboxed(value: object) -> object:
    """The Python value in a NumPy scalar, a 0-d array or a 0-d tensor; anything else as it is."""
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "shape", None) == () else value


def whole(value: object, wanted: str, low: int | None = None, high: int | None = None) -> int:
    """An int within low..high, both included, from a whole number of any library.

    wanted: the sentence that names the remedy, without its end. Raises RequestError with it for anything else:
    a float even where it is whole, a bool, text, an array.
    """
    plain = unboxed(value)
    if not isinstance(plain, bool) and not hasattr(plain, "shape"):  # a tensor of one entry calls itself an index
        try:
            number = operator.index(plain)  # type: ignore[arg-type]
        except TypeError:
            pass
        else:
            if (low is None or number >= low) and (high is None or number <= high):
                return number
    raise RequestError(f"{wanted}, not {excerpt(plain)}.")


def real(value: object, wanted: str, low: float, high: float) -> float:
    """A float within low..high, both included, from a real number of any library; see ``whole``.

    Raises RequestError for NaN and infinity, too.
    """
    plain = unboxed(value)
    is_number = hasattr(plain, "__float__") or hasattr(plain, "__index__")
    if is_number and not isinstance(plain, (bool, str)) and getattr(plain, "shape", ()) == ():
        try:
            number = float(plain)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            pass
        else:
            if math.isfinite(number) and low <= number <= high:
                return number
    raise RequestError(f"{wanted}, not {excerpt(plain)}.")


def truth(value: object, wanted: str) -> bool:
    """True or False, from a bool of any library. Raises RequestError for anything else, 0 and 1 included."""
    plain = unboxed(value)
    if not isinstance(plain, bool):
        raise RequestError(f"{wanted}, not {excerpt(plain)}.")
    return plain


def listed(values: object, wanted: str) -> tuple[object, ...]:
    """The entries of a list, a tuple, an array or a tensor. Raises RequestError for text and what has none."""
    if not isinstance(values, (str, bytes)) and isinstance(values, Iterable):
        try:
            return tuple(values)
        except TypeError:  # a 0-d array has the method, yet nothing to go through
            pass
    raise RequestError(f"{wanted}, not {excerpt(unboxed(values))}.")


def plain_whole(text: str) -> int:
    """ "12" → 12. Raises ValueError for anything but up to 20 plain digits: Python would take "1_2" and "١٢"."""
    if not _WHOLE.fullmatch(text.strip()):
        raise ValueError(f"{excerpt(text)} is no whole number")
    return int(text)


def whole_numbers(text: str, option: str) -> tuple[int, ...]:
    """ "32,64,128" → (32, 64, 128); "" → ()."""
    try:
        parts = [part for part in text.split(",", MAX_LISTED) if part.strip()]
        return tuple(plain_whole(part) for part in parts)
    except ValueError as error:
        raise RequestError(f"{option} {excerpt(text)} must be whole numbers with commas, such as 32,64,128.") from error

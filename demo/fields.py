"""The kinds of a setting: each reads whatever a browser, a link or a file brings, and says what it had to change.

A kind knows its bounds once; validation, links, cutting to a checkpoint's T and the controls in the browser all take
them from here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Read = tuple[Any, str]  # (the value, or None where there is none; what had to be changed, in words, or "")
MAX_ITEMS = 64  # of a list that a browser sends: no control holds more


class Kind(Protocol):
    """What a setting may be."""

    def read(self, raw: object, T: int) -> Read:
        """The value nearest to what was sent, for a checkpoint with T steps. raw: JSON or the text of a link."""
        ...

    def text(self, value: Any) -> str:
        """As a link holds it; ``read`` takes it back."""
        ...

    def spec(self) -> dict[str, Any]:
        """What the browser's control needs."""
        ...


def short(value: float) -> str:
    """A number with all its digits and no more."""
    return repr(value).removesuffix(".0")


def number(raw: object) -> float:
    """What was sent as a finite or infinite number, NaN where it is none."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        return math.nan
    try:
        return float(raw)
    except (ValueError, OverflowError):
        return math.nan


def shown(raw: object) -> str:
    """What was sent, short enough for a sentence."""
    text = raw if isinstance(raw, str) else repr(raw)
    text = text.encode("utf-8", "replace").decode()
    return (text if len(text) <= 24 else text[:23] + "…") or "nothing"


def items(raw: object) -> list[object] | None:
    """A list as JSON or with commas between; None where it is none."""
    if isinstance(raw, str):
        return list(raw.split(",", MAX_ITEMS)[:MAX_ITEMS]) if raw else []
    return list(raw[:MAX_ITEMS]) if isinstance(raw, (list, tuple)) else None


@dataclass(frozen=True)
class Whole:
    """A whole number from low to high, which is the checkpoint's T where it is None."""

    low: int
    high: int | None = None
    looks: str = "number"  # or "steps": a slider over the logarithm beside the box

    def read(self, raw: object, T: int) -> Read:
        wish, high = number(raw), T if self.high is None else self.high
        if math.isnan(wish):
            return None, f"{shown(raw)} is no number"
        kept = int(min(high, max(self.low, wish)))
        return kept, "" if kept == wish else f"{shown(raw)} became {kept}"

    def text(self, value: int) -> str:
        return str(value)

    def spec(self) -> dict[str, Any]:
        return {"kind": self.looks, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Real:
    """A number from low to high."""

    low: float
    high: float
    step: float = 0.01

    def read(self, raw: object, T: int) -> Read:
        wish = number(raw)
        if math.isnan(wish):
            return None, f"{shown(raw)} is no number"
        kept = float(min(self.high, max(self.low, wish)))
        return kept, "" if kept == wish else f"{shown(raw)} became {short(kept)}"

    def text(self, value: float) -> str:
        return short(value)

    def spec(self) -> dict[str, Any]:
        return {"kind": "slider", "low": self.low, "high": self.high, "step": self.step}


@dataclass(frozen=True)
class Choice:
    """One of some names, shown by their titles."""

    titles: Mapping[str, str]

    def read(self, raw: object, T: int) -> Read:
        if isinstance(raw, str) and raw in self.titles:
            return raw, ""
        return None, f"{shown(raw)} is none of {', '.join(self.titles)}"

    def text(self, value: str) -> str:
        return value

    def spec(self) -> dict[str, Any]:
        return {"kind": "select", "options": [[title, name] for name, title in self.titles.items()]}


@dataclass(frozen=True)
class Several:
    """One or more of some names, in the order of their titles."""

    titles: Mapping[str, str]

    def read(self, raw: object, T: int) -> Read:
        found = items(raw) or []
        odd = [one for one in found if not isinstance(one, str) or one not in self.titles]
        said = "" if not odd else f"{shown(odd[0])} is none of {', '.join(self.titles)}"
        return tuple(name for name in self.titles if name in found) or None, said or ("" if found else "choose one")

    def text(self, value: Iterable[str]) -> str:
        return ",".join(value)

    def spec(self) -> dict[str, Any]:
        return {"kind": "several", "options": [[title, name] for name, title in self.titles.items()]}


@dataclass(frozen=True)
class Nearest:
    """The nearest of some numbers."""

    choices: tuple[int, ...]

    def read(self, raw: object, T: int) -> Read:
        wish = number(raw)
        if math.isnan(wish):
            return None, f"{shown(raw)} is no number"
        wish = min(max(self.choices), max(min(self.choices), wish))  # of infinity every choice is as far
        kept = min(self.choices, key=lambda choice: abs(choice - wish))
        return kept, "" if kept == number(raw) else f"{shown(raw)} became {kept}"

    def text(self, value: int) -> str:
        return str(value)

    def spec(self) -> dict[str, Any]:
        return {"kind": "select", "options": [[str(choice), choice] for choice in self.choices]}


@dataclass(frozen=True)
class Flag:
    """On or off."""

    def read(self, raw: object, T: int) -> Read:
        if isinstance(raw, bool):
            return raw, ""
        found = {"0": False, "1": True, "false": False, "true": True}.get(str(raw).lower())
        return found, "" if found is not None else f"{shown(raw)} is neither 0 nor 1"

    def text(self, value: bool) -> str:
        return str(int(value))

    def spec(self) -> dict[str, Any]:
        return {"kind": "flag"}


@dataclass(frozen=True)
class Given:
    """The name of a picture: a tab's own, "example-3", or "none"."""

    def read(self, raw: object, T: int) -> Read:
        if isinstance(raw, str) and re.fullmatch(r"[0-9a-f]{16}|example-\d{1,2}|none", raw, re.ASCII):
            return raw, ""
        return None, f"{shown(raw)} is no picture"

    def text(self, value: str) -> str:
        return value

    def spec(self) -> dict[str, Any]:
        return {"kind": "given"}

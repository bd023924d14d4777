"""The kinds of a setting: each reads whatever a browser, a link or a file brings, and says what it had to change.

A kind knows its bounds once; validation, links, cutting to a checkpoint's T and the controls in the browser all take
them from here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
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
class Listed:
    """low to high values of one kind. rising: each once, the smallest first."""

    one: Whole | Real
    low: int
    high: int
    looks: str = "seeds"  # or "numbers": one box with commas between
    rising: bool = False
    names: tuple[str, ...] = ()

    def read(self, raw: object, T: int) -> Read:
        found = items(raw)
        read = [self.one.read(item, T) for item in found or []]
        values, said = [value for value, _ in read if value is not None], [words for _, words in read if words]
        if self.rising:
            values = sorted(set(values))
        if len(values) > self.high:
            said.append(f"only the first {self.high} of {len(values)} were kept")
        if len(values) < self.low:
            return None, f"{self.low} to {self.high} numbers are needed"
        return tuple(values[: self.high]), "; ".join(said)

    def text(self, value: Iterable[Any]) -> str:
        return ",".join(self.one.text(one) for one in value)

    def spec(self) -> dict[str, Any]:
        inner = self.one.spec()
        whole = isinstance(self.one, Whole)
        return {"kind": self.looks, "low": inner["low"], "high": inner["high"], "least": self.low, "most": self.high,
                "whole": whole, "names": list(self.names)}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Two shares from 0 to 1: (across, down)."""

    def read(self, raw: object, T: int) -> Read:
        found, one = items(raw) or [], Real(0, 1)
        read = [one.read(item, T) for item in found]
        if len(read) != 2 or any(value is None for value, _ in read):
            return None, f"{shown(raw)} is no place"
        return tuple(value for value, _ in read), "; ".join(words for _, words in read if words)

    def text(self, value: tuple[float, float]) -> str:
        return ",".join(map(short, value))

    def spec(self) -> dict[str, Any]:
        return {"kind": "place"}


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


@dataclass(frozen=True)
class Crop:
    """A square of a picture: across and down, 0 to 1 each, and how far it is zoomed in, from 1."""

    most: float

    def read(self, raw: object, T: int) -> Read:
        found, kinds = items(raw) or [], (Real(0, 1), Real(0, 1), Real(1, self.most))
        read = [kind.read(item, T) for kind, item in zip(kinds, found, strict=False)]
        if len(found) != 3 or any(value is None for value, _ in read):
            return None, f"{shown(raw)} is no part of a picture"
        return tuple(value for value, _ in read), "; ".join(words for _, words in read if words)

    def text(self, value: tuple[float, ...]) -> str:
        return ",".join(map(short, value))

    def spec(self) -> dict[str, Any]:
        return {"kind": "crop", "most": self.most}


@dataclass(frozen=True)
class Lane:
    """One runner of Compare."""

    steps: int
    eta: float
    spacing: str = "leading"


@dataclass(frozen=True)
class Lanes:
    """low to high runners: objects as JSON; ``10:0:leading`` each in a link, the spacing left out where it is
    leading."""

    spacings: Mapping[str, str]
    low: int
    high: int

    def read(self, raw: object, T: int) -> Read:
        found = items(raw)
        if found is None:
            return None, "a list of runners is needed"
        lanes, said = [], []
        for item in found:
            parts = [*str(item).split(":"), "", ""] if isinstance(item, str) else []
            given = item if isinstance(item, dict) else {}
            steps, a = Whole(1).read(given.get("steps", parts[0] if parts else ""), T)
            eta, b = Real(0, 1).read(given.get("eta", (parts[1] or "0") if parts else "0"), T)
            spacing, c = Choice(self.spacings).read(
                given.get("spacing", (parts[2] or "leading") if parts else "leading"), T
            )
            said += [words for words in (a, b, c) if words]
            if steps is not None and eta is not None and spacing is not None:
                lanes.append(Lane(steps, eta, spacing))
        if len(lanes) > self.high:
            said.append(f"only the first {self.high} of {len(lanes)} were kept")
        if len(lanes) < self.low:
            return None, f"{self.low} to {self.high} runners are needed"
        return tuple(lanes[: self.high]), "; ".join(said)

    def text(self, value: Iterable[Lane]) -> str:
        return ",".join(
            f"{lane.steps}:{short(lane.eta)}" + ("" if lane.spacing == "leading" else f":{lane.spacing}")
            for lane in value
        )

    def spec(self) -> dict[str, Any]:
        return {"kind": "lanes", "least": self.low, "most": self.high, "spacings": list(self.spacings)}


def plain(value: Any) -> Any:
    """A value as JSON holds it."""
    if isinstance(value, Lane):
        return asdict(value)
    return [plain(one) for one in value] if isinstance(value, (tuple, list)) else value

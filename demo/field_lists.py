"""Kinds of settings that hold several values: lists, places, parts of pictures, runners. See demo/fields.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from demo.fields import Choice, Read, Real, Whole, items, short, shown


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

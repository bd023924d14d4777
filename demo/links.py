"""The whole state of the page as URL parameters, and back. Bad values are clamped or left out, and said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from demo.settings import (
    COUNTS,
    FRAMES_BETWEEN,
    MAX_GRID_ETAS,
    MAX_GRID_STEPS,
    MAX_KEYS,
    MAX_LANES,
    MAX_PAGE_SEED,
    SPACINGS,
    VIEWS,
    WHAT,
    Lane,
    PageSettings,
    rising,
)

NAMES = tuple(PageSettings.__dataclass_fields__)


def to_query(page: PageSettings) -> str:
    """ "checkpoint=…&steps=20&…": every setting, so that a link means the same when defaults change."""
    from core.reproduce import short  # brings torch, and the page is built before that is loaded

    out: dict[str, str] = {}
    for name in NAMES:
        value = getattr(page, name)
        if name == "lanes":
            out[name] = ",".join(f"{lane.steps}:{short(lane.eta)}:{lane.spacing}" for lane in value)
        elif isinstance(value, tuple):
            out[name] = ",".join(short(v) if isinstance(v, float) else str(v) for v in value)
        elif isinstance(value, bool):
            out[name] = str(int(value))
        else:
            out[name] = short(value) if isinstance(value, float) else str(value)
    return urlencode(out)


class Reader:
    """Reads parameters one by one and keeps a sentence for each that had to be changed."""

    def __init__(self, T: int) -> None:
        self.T = T
        self.said: list[str] = []

    def number(self, name: str, text: str, low: float, high: float) -> float | None:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if value != value:
            self.said.append(f"{name}={text} is no number and was left out")
            return None
        kept = min(high, max(low, value))
        if kept != value:
            self.said.append(f"{name}={text} became {kept:g}")
        return kept

    def whole(self, name: str, text: str, low: int, high: int) -> int | None:
        value = self.number(name, text, low, high)
        if value is not None and value != int(value):
            self.said.append(f"{name}={text} became {int(value)}")
        return None if value is None else int(value)

    def nearest(self, name: str, text: str, choices: tuple[int, ...]) -> int | None:
        """The choice nearest to a number: these controls offer no others."""
        value = self.number(name, text, min(choices), max(choices))
        if value is None:
            return None
        kept = min(choices, key=lambda choice: abs(choice - value))
        if kept != value:
            self.said.append(f"{name}={text} became {kept}")
        return kept

    def numbers(self, name: str, text: str, low: float, high: float, most: int, kind: Any) -> tuple[Any, ...] | None:
        """One to ``most`` numbers with commas between, each once, rising."""
        found = [self.number(name, part, low, high) for part in text.split(",")[:most]]
        if None in found:
            return None
        return rising(kind(v) for v in found if v is not None)

    def choice(self, name: str, text: str, choices: tuple[str, ...]) -> str | None:
        if text in choices:
            return text
        self.said.append(f"{name}={text} is none of {', '.join(choices)} and was left out")
        return None

    def wholes(self, name: str, text: str, low: int, high: int) -> tuple[int, ...] | None:
        """low to high seeds with commas between."""
        found = [self.whole(name, part, 0, MAX_PAGE_SEED) for part in text.split(",")[:high]]
        if None in found or len(found) < low:
            self.said.append(f"{name} needs {low} to {high} seeds and was left out")
            return None
        return tuple(seed for seed in found if seed is not None)

    def lanes(self, text: str) -> tuple[Lane, ...] | None:
        """ "10:0:leading,1000:1": steps, η and, if not leading, the spacing of each runner."""
        lanes = []
        for part in text.split(",")[:MAX_LANES]:
            steps_text, _, rest = part.partition(":")
            eta_text, _, spacing_text = rest.partition(":")
            steps, eta = self.whole("lanes", steps_text, 1, self.T), self.number("lanes", eta_text or "0", 0, 1)
            spacing = self.choice("lanes", spacing_text or "leading", SPACINGS)
            if steps is not None and eta is not None and spacing is not None:
                lanes.append(Lane(steps, eta, spacing))
        if len(lanes) < 2:
            self.said.append("lanes needs two runners or more and was left out")
            return None
        return tuple(lanes)

    def one(self, name: str, text: str) -> Any:
        if name in ("steps", "steps_b"):
            return self.whole(name, text, 1, self.T)
        if name in ("eta", "eta_b"):
            return self.number(name, text, 0, 1)
        if name in ("seed", "seed_to"):
            return self.whole(name, text, 0, MAX_PAGE_SEED)
        if name in ("count", "between"):
            return self.nearest(name, text, COUNTS if name == "count" else FRAMES_BETWEEN)
        if name in ("loop", "own_noise"):
            found = self.choice(name, text, ("0", "1"))
            return None if found is None else found == "1"
        if name == "spacing":
            return self.choice(name, text, SPACINGS)
        if name == "view":
            return self.choice(name, text, VIEWS)
        if name == "what":
            return self.choice(name, text, tuple(WHAT))
        if name == "lanes":
            return self.lanes(text)
        if name == "grid_steps":
            return self.numbers(name, text, 1, self.T, MAX_GRID_STEPS, int)
        if name == "grid_etas":
            return self.numbers(name, text, 0, 1, MAX_GRID_ETAS, float)
        if name == "keys":
            return self.wholes(name, text, 2, MAX_KEYS)
        if name == "corners":
            return self.wholes(name, text, 4, 4)
        if name == "place":
            across, _, down = text.partition(",")
            place = self.number(name, across, 0, 1), self.number(name, down, 0, 1)
            return None if None in place else place
        return None


def from_query(query: Mapping[str, str], names: list[str], training_steps: Any) -> tuple[dict[str, Any], list[str]]:
    """(the settings that the parameters give, what had to be changed). names: of the checkpoints;
    training_steps: name → its T. Parameters that are not ours are passed over."""
    checkpoint, said = query.get("checkpoint"), []
    if checkpoint is not None and checkpoint not in names:
        said.append(f"there is no checkpoint {checkpoint} here, so {names[0]} is shown")
        checkpoint = None
    reader = Reader(training_steps(checkpoint or names[0]))
    found: dict[str, Any] = {} if checkpoint is None else {"checkpoint": checkpoint}
    for name in NAMES:
        if name in query and name != "checkpoint":
            value = reader.one(name, query[name])
            if value is not None:
                found[name] = value
    return found, said + reader.said

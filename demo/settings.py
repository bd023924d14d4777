"""What the controls of the page say, as one frozen value. No torch: the page is built before it is loaded."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

Number = TypeVar("Number", int, float)

COUNTS = (1, 4, 8, 16, 32)
FRAMES = 11
MAX_PAGE_SEED = 999_999


VIEWS = ("explore", "compare", "interpolate", "grid", "tradeoff", "reproduce", "learn")
SPACINGS = ("leading", "trailing", "linspace", "quadratic")
MAX_LANES, MAX_KEYS, SHEET = 4, 8, 7
FRAMES_BETWEEN = (4, 6, 10, 15)
MAX_GRID_STEPS, MAX_GRID_ETAS = 8, 6
SHEET_STEPS = 10  # the sheet is run with so few at most: it is an overview of 49 pictures
WHAT = {
    "samples": "Samples", "strip": "Strip", "a": "Player A", "b": "Player B",
    "lane0": "Runner A", "lane1": "Runner B", "lane2": "Runner C", "lane3": "Runner D",
    "path": "Path", "place": "Place on the sheet", "sheet": "Sheet",
}  # fmt: skip


@dataclass(frozen=True)
class Lane:
    """One runner of the Compare view."""

    steps: int
    eta: float
    spacing: str = "leading"


RACE = (Lane(10, 0.0), Lane(50, 0.0), Lane(1000, 1.0))


@dataclass(frozen=True)
class PageSettings:
    """steps, eta: of the samples, the strip and player A. steps_b, eta_b: of player B.
    seed: the first sample's; the others follow it, and every runner of Compare starts from it. seed_to: the far
    end of the strip. view: the tab in front; only its panels run. lanes: the runners of Compare. keys: the seeds
    on Interpolate's timeline, with ``between`` pictures from one to the next. corners: of its sheet, and place:
    where on the sheet (across, down). own_noise: each picture between seeds adds its own noise at η > 0.
    grid_steps, grid_etas: the columns and rows of Grid, whose cells all start from ``seed``. what: the run, one of
    WHAT, that Reproduce writes out."""

    checkpoint: str
    steps: int = 20
    eta: float = 0.0
    seed: int = 3
    count: int = 16
    seed_to: int = 8
    spacing: str = "leading"
    steps_b: int = 20
    eta_b: float = 1.0
    view: str = "explore"
    lanes: tuple[Lane, ...] = RACE
    keys: tuple[int, ...] = (3, 8, 12)
    between: int = 6
    loop: bool = True
    own_noise: bool = False
    corners: tuple[int, ...] = (3, 8, 12, 20)
    place: tuple[float, float] = (0.5, 0.5)
    grid_steps: tuple[int, ...] = (5, 10, 20, 50)
    grid_etas: tuple[float, ...] = (0.0, 0.5, 1.0)
    what: str = "samples"

    @property
    def frames(self) -> int:
        """Pictures on the path through the keys."""
        return len(self.keys) * self.between if self.loop else (len(self.keys) - 1) * self.between + 1

    def within(self, T: int) -> PageSettings:
        """The same with every S cut to T; columns of the grid that become equal are one."""
        return replace(
            self,
            steps=min(self.steps, T),
            steps_b=min(self.steps_b, T),
            lanes=tuple(replace(lane, steps=min(lane.steps, T)) for lane in self.lanes),
            grid_steps=rising(min(S, T) for S in self.grid_steps),
        )


def log_stops(T: int) -> list[int]:
    """Slider stops from 1 to T, evenly spread in the logarithm: every S to 10, then round numbers."""
    ladder = [1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8]
    stops = {*range(1, 11), T}
    decade = 10
    while decade <= T:
        stops.update(int(decade * r) for r in ladder)
        decade *= 10
    return sorted(s for s in stops if s <= T)


def whole(value: object, name: str, low: int, high: int) -> int:
    """A whole number from a control, or ValueError with a sentence for the page."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise ValueError(f"{name} must be a whole number from {low} to {high}.")
    if not low <= value <= high:
        raise ValueError(f"{name} must lie between {low} and {high}, not {int(value)}.")
    return int(value)


def steps_within(value: object, name: str, T: int) -> int:
    """S of a runner or a column, cut to T: it may be a default, or stem from a checkpoint with more steps."""
    return whole(T if isinstance(value, (int, float)) and value > T else value, name, 1, T)


def share(value: object, name: str) -> float:
    """A number from 0 to 1 from a control, or ValueError with a sentence for the page."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"{name} must lie between 0 (DDIM) and 1 (DDPM).")
    return float(value)


def one_of(value: object, name: str, choices: tuple[object, ...]) -> object:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(str, choices))}.")
    return value


def json_list(text: object, name: str, low: int, high: int) -> list[object]:
    """The list that a custom control sends as JSON text."""
    try:
        found = json.loads(str(text))
    except ValueError:
        found = None
    if not isinstance(found, list) or not low <= len(found) <= high:
        raise ValueError(f"{name} must be a list of {low} to {high}.")
    return found


def lanes_of(text: object, T: int) -> tuple[Lane, ...]:
    lanes = []
    for i, raw in enumerate(json_list(text, "The runners", 2, MAX_LANES)):
        who = f"of runner {'ABCD'[i]}"
        if not isinstance(raw, dict):
            raise ValueError("A runner needs steps, η and a spacing.")
        spacing = one_of(raw.get("spacing"), f"The spacing {who}", SPACINGS)
        lanes.append(
            Lane(steps_within(raw.get("steps"), f"Steps {who}", T), share(raw.get("eta"), f"η {who}"), str(spacing))
        )
    return tuple(lanes)


def seeds_of(text: object, name: str, low: int, high: int) -> tuple[int, ...]:
    return tuple(whole(seed, "A seed", 0, MAX_PAGE_SEED) for seed in json_list(text, name, low, high))


def rising(values: Iterable[Number]) -> tuple[Number, ...]:
    """Each value once, the smallest first."""
    return tuple(sorted(set(values)))


def as_control(value: object) -> str:
    """What a custom control of lanes, keys, corners or a place holds: JSON text."""
    return json.dumps([asdict(v) if isinstance(v, Lane) else v for v in value], separators=(",", ":"))  # type: ignore[attr-defined]


def page_settings(
    T: int,
    checkpoint: str,
    steps: object = 20,
    eta: object = 0.0,
    seed: object = 3,
    count: object = 16,
    seed_to: object = 8,
    spacing: str = "leading",
    steps_b: object = 20,
    eta_b: object = 1.0,
    view: str = "explore",
    lanes: object = as_control(RACE),
    keys: object = "[3,8,12]",
    between: object = 6,
    loop: object = True,
    own_noise: object = False,
    corners: object = "[3,8,12,20]",
    place: object = "[0.5,0.5]",
    grid_steps: object = "[5,10,20,50]",
    grid_etas: object = "[0,0.5,1]",
    what: object = "samples",
) -> PageSettings:
    """Check what the controls sent; runners and columns are cut to T steps. Raises ValueError with one sentence that
    names the remedy."""
    across, down = (share(v, "A place on the sheet") for v in json_list(place, "The place", 2, 2))
    return PageSettings(
        checkpoint=checkpoint,
        steps=whole(steps, "Steps", 1, T),
        eta=share(eta, "η"),
        seed=whole(seed, "The seed", 0, MAX_PAGE_SEED),
        count=whole(count, "The number of pictures", 1, max(COUNTS)),
        seed_to=whole(seed_to, "The second seed", 0, MAX_PAGE_SEED),
        spacing=str(one_of(spacing, "The spacing", SPACINGS)),
        steps_b=whole(steps_b, "Steps of B", 1, T),
        eta_b=share(eta_b, "η of B"),
        view=str(one_of(view, "The view", VIEWS)),
        lanes=lanes_of(lanes, T),
        keys=seeds_of(keys, "The key seeds", 2, MAX_KEYS),
        between=whole(between, "Pictures from key to key", 1, max(FRAMES_BETWEEN)),
        loop=bool(loop),
        own_noise=bool(own_noise),
        corners=seeds_of(corners, "The corner seeds", 4, 4),
        place=(across, down),
        grid_steps=rising(steps_within(v, "S", T) for v in json_list(grid_steps, "Steps across", 1, MAX_GRID_STEPS)),
        grid_etas=rising(share(v, "η down") for v in json_list(grid_etas, "η down", 1, MAX_GRID_ETAS)),
        what=str(one_of(what, "The run to write out", tuple(WHAT))),
    )


def cut_to(T: int, controls: Mapping[str, Any]) -> dict[str, Any]:
    """The controls that ask for more than T steps, cut to T, as they hold it: what is shown is what is run. None where
    a value is odd: page_settings says which. controls: all of them, by name."""
    try:
        asked = page_settings(sys.maxsize, **controls)
    except ValueError:
        return {}
    fits = asked.within(T)
    changed = {name: value for name, value in vars(fits).items() if value != getattr(asked, name)}
    return {name: as_control(value) if isinstance(value, tuple) else value for name, value in changed.items()}

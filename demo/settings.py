"""The one table of what the page can be set to: name, kind, bounds, label and default of each setting.

Reading, links, cutting to a checkpoint's T, the controls and what the browser knows of them all follow from it. No
torch: the page is built before that is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from core.solvers import SOLVERS, solver_named
from demo.field_lists import Crop, Lane, Lanes, Listed, Place, plain
from demo.fields import Choice, Flag, Given, Kind, Nearest, Real, Several, Whole, shown

COUNTS = (1, 4, 8, 16, 32)
FRAMES = 11  # of Explore's strip
FRAMES_BETWEEN = (4, 6, 10, 15)
BRANCHES = (2, 4, 6, 8)
REFINE = (0, 1, 2, 4)
MAX_ZOOM = 16.0
MAX_PAGE_SEED = 2**53 - max(COUNTS)  # whole numbers stay exact in a browser up to 2⁵³, and samples count on from here
MAX_LABEL = 99_999  # of a network that was told of classes in training
MAX_LANES, MAX_KEYS, MAX_GRID, MAX_ROWS = 4, 8, 8, 6
SHEET, SHEET_STEPS = 7, 10  # a sheet is an overview of 49 pictures, so it takes so few steps at most
SOLVER_TITLES = {name: solver.title for name, solver in SOLVERS.items()}
SPACINGS = {name: name for name in ("leading", "trailing", "linspace", "quadratic")}
VIEWS = {
    "explore": "Explore", "compare": "Compare", "interpolate": "Interpolate", "picture": "Your picture",
    "branches": "Branches", "grid": "Grid", "tradeoff": "Trade-off", "reproduce": "Reproduce", "learn": "Learn",
}  # fmt: skip
WHAT = {
    "samples": "Samples", "strip": "Strip", "a": "Player A", "b": "Player B",
    "lane0": "Runner A", "lane1": "Runner B", "lane2": "Runner C", "lane3": "Runner D",
    "branches": "Branches, first row", "path": "Path", "place": "Place on the sheet", "sheet": "Sheet",
    "journey": "Your picture, up and down", "bridge": "Between two pictures",
}  # fmt: skip
AXIS_TITLES = {
    "steps": "Steps S", "eta": "Randomness η", "seed": "Seed", "spacing": "Step spacing", "solver": "Solver",
}  # fmt: skip
GRID_LISTS = {axis: f"grid_{axis.removesuffix('s')}s" for axis in AXIS_TITLES}  # the setting that holds its values
SHAPES = {"ring": "Ring of eight", "moons": "Two moons", "spiral": "Spiral", "two": "Two, 30 : 70"}
CORNERS = ("Top left", "Top right", "Bottom left", "Bottom right")
SEED = Whole(0, MAX_PAGE_SEED)
RACE = (Lane(10, 0.0), Lane(50, 0.0), Lane(1000, 1.0))


class Field(NamedTuple):
    """A setting. default: of the page as it opens. label: of its control. hint: what it is, in a line. of_T: its
    default is a share of the checkpoint's T, written for 1000."""

    kind: Kind
    default: Any
    label: str
    hint: str = ""
    of_T: bool = False  # noqa: N815  # the field's name

    def default_at(self, T: int) -> Any:
        """For a checkpoint with T steps."""
        scaled = [round(value * T / 1000) for value in self.default] if self.of_T else plain(self.default)
        return self.kind.read(scaled, T)[0]


FIELDS: dict[str, Field] = {
    "view": Field(Choice(VIEWS), "explore", "View"),  # the tab in front; only its panels run
    "steps": Field(
        Whole(1, looks="steps"), 20, "Steps S",
        "How many of the training steps are taken from noise to picture. Fewer take less time.",
    ),
    "eta": Field(
        Real(0, 1), 0.0, "Randomness η",
        "0: no noise is added on the way, so x_T alone decides the picture (DDIM). 1: as much as DDPM adds.",
    ),
    "seed": Field(SEED, 32, "Seed", "Names the noise x_T that the pictures start from: the same seed, the same noise."),
    "seed_to": Field(SEED, 27, "blend with", "The seed at the far end of the strip: its noise is mixed in bit by bit."),
    "count": Field(Nearest(COUNTS), 16, "Pictures", "How many samples: of this seed and those that follow it."),
    "spacing": Field(
        Choice(SPACINGS), "leading", "Step spacing",
        "Which of the training steps are taken: evenly from the low end (leading), from the high end (trailing), "
        "with both ends (linspace), or denser near the picture (quadratic).",
    ),
    "solver": Field(
        Choice(SOLVER_TITLES), "ddim", "Solver",
        "How a step is taken. DPM-Solver++ is of later work; it needs fewer steps and adds no noise.",
    ),
    "label": Field(
        Whole(0, MAX_LABEL), 0, "Class", "What the pictures are to show, by its number; counted from 0.",
    ),
    "steps_b": Field(Whole(1, looks="steps"), 20, "Steps S of B", "Steps of the second picture, from the same noise."),
    "eta_b": Field(Real(0, 1), 1.0, "Randomness η of B", "Noise added on the way of the second picture."),
    "lanes": Field(Lanes(SPACINGS, 2, MAX_LANES), RACE, "Runners"),
    "keys": Field(Listed(SEED, 2, MAX_KEYS), (32, 27, 2), "Key"),  # the seeds on the path
    "between": Field(Nearest(FRAMES_BETWEEN), 6, "Pictures from key to key"),
    "loop": Field(Flag(), True, "Close the loop"),
    "own_noise": Field(Flag(), False, "Own noise for each picture (η > 0)"),
    "corners": Field(Listed(SEED, 4, 4, names=CORNERS), (32, 27, 2, 5), "Corners"),
    "place": Field(Place(), (0.5, 0.5), "Place on the sheet"),
    "grid_x": Field(Choice(AXIS_TITLES), "steps", "Across"),
    "grid_y": Field(Choice(AXIS_TITLES), "eta", "Down"),
    "grid_steps": Field(Listed(Whole(1), 1, MAX_GRID, "numbers", rising=True), (5, 10, 20, 50), "Values of S"),
    "grid_etas": Field(Listed(Real(0, 1), 1, MAX_GRID, "numbers", rising=True), (0.0, 0.5, 1.0), "Values of η"),
    "grid_seeds": Field(Listed(SEED, 1, MAX_GRID, "numbers", rising=True), (2, 5, 27, 32), "Seeds"),
    "grid_spacings": Field(Several(SPACINGS), tuple(SPACINGS), "Step spacings"),
    "grid_solvers": Field(Several(SOLVER_TITLES), tuple(SOLVER_TITLES), "Solvers"),
    "branch_at": Field(
        Listed(Whole(0), 1, MAX_ROWS, "numbers", rising=True), (300, 500, 700, 900), "Part at t",
        "From T − 1, all noise, to 0, the picture. Each is taken at the nearest t that the steps come through.",
        of_T=True,
    ),
    "branch_eta": Field(
        Real(0, 1), 1.0, "η of the branches", "Below t each branch adds noise of its own. 0: all are one.",
    ),
    "branch_count": Field(Nearest(BRANCHES), 6, "Branches from each t"),
    "picture": Field(Given(), "example-0", "Picture"),
    "crop": Field(Crop(MAX_ZOOM), (0.5, 0.5, 1.0), "Part of the picture"),
    "picture_to": Field(Given(), "example-1", "Second picture"),
    "crop_to": Field(Crop(MAX_ZOOM), (0.5, 0.5, 1.0), "Part of the second picture"),
    "refine": Field(
        Nearest(REFINE), 0, "Refinements of a step up",
        "How often the network is asked again at the point that a step up has just found. 0: the plain inversion.",
    ),
    "what": Field(Choice(WHAT), "samples", "Run"),  # that Reproduce writes out
    "shape": Field(Choice(SHAPES), "ring", "Distribution"),  # that Learn flows to
    "captions": Field(
        Flag(), True, "Words on GIFs and WebPs", "Settings and time around the pictures; without, just the pixels."
    ),
}  # fmt: skip
NAMES = ("checkpoint", *FIELDS)


@dataclass(frozen=True)
class PageSettings:
    """What the page is set to: a checkpoint and one value for each of FIELDS, each within its bounds."""

    checkpoint: str
    view: str = FIELDS["view"].default
    steps: int = FIELDS["steps"].default
    eta: float = FIELDS["eta"].default
    seed: int = FIELDS["seed"].default
    seed_to: int = FIELDS["seed_to"].default
    count: int = FIELDS["count"].default
    spacing: str = FIELDS["spacing"].default
    solver: str = FIELDS["solver"].default
    label: int = FIELDS["label"].default
    steps_b: int = FIELDS["steps_b"].default
    eta_b: float = FIELDS["eta_b"].default
    lanes: tuple[Lane, ...] = FIELDS["lanes"].default
    keys: tuple[int, ...] = FIELDS["keys"].default
    between: int = FIELDS["between"].default
    loop: bool = FIELDS["loop"].default
    own_noise: bool = FIELDS["own_noise"].default
    corners: tuple[int, ...] = FIELDS["corners"].default
    place: tuple[float, float] = FIELDS["place"].default
    grid_x: str = FIELDS["grid_x"].default
    grid_y: str = FIELDS["grid_y"].default
    grid_steps: tuple[int, ...] = FIELDS["grid_steps"].default
    grid_etas: tuple[float, ...] = FIELDS["grid_etas"].default
    grid_seeds: tuple[int, ...] = FIELDS["grid_seeds"].default
    grid_spacings: tuple[str, ...] = FIELDS["grid_spacings"].default
    grid_solvers: tuple[str, ...] = FIELDS["grid_solvers"].default
    branch_at: tuple[int, ...] = FIELDS["branch_at"].default
    branch_eta: float = FIELDS["branch_eta"].default
    branch_count: int = FIELDS["branch_count"].default
    picture: str = FIELDS["picture"].default
    crop: tuple[float, float, float] = FIELDS["crop"].default
    picture_to: str = FIELDS["picture_to"].default
    crop_to: tuple[float, float, float] = FIELDS["crop_to"].default
    refine: int = FIELDS["refine"].default
    what: str = FIELDS["what"].default
    shape: str = FIELDS["shape"].default
    captions: bool = FIELDS["captions"].default

    @property
    def frames(self) -> int:
        """Pictures on the path through the keys."""
        return len(self.keys) * self.between if self.loop else (len(self.keys) - 1) * self.between + 1

    def as_json(self) -> dict[str, Any]:
        """As the browser holds it."""
        return {name: plain(getattr(self, name)) for name in NAMES}

    def query(self) -> str:
        """ "?checkpoint=…&view=…": every setting, so that a link means the same when defaults change."""
        texts = {name: field.kind.text(getattr(self, name)) for name, field in FIELDS.items()}
        return "?" + urlencode({"checkpoint": self.checkpoint, **texts})


class Corrected(NamedTuple):
    """page: settings that can be run. said: what had to be changed of those that were asked for, in words."""

    page: PageSettings
    said: list[str]


def first_settings(checkpoint: str, training_steps: int) -> PageSettings:
    """What the page opens with."""
    return corrected({"checkpoint": checkpoint}, [checkpoint], lambda _: training_steps).page


def corrected(
    asked: Mapping[str, object], checkpoints: Collection[str], training_steps: Callable[[str], int],
    before: PageSettings | None = None,
) -> Corrected:  # fmt: skip
    """The nearest settings that can be run. asked: by name, what the controls, a link or a file hold; what is left out
    or cannot be read stays as it was ``before``, or at its default. Names that are none of ours are passed over."""
    names, said = list(checkpoints), []
    otherwise = before.checkpoint if before is not None and before.checkpoint in names else names[0]
    checkpoint = asked.get("checkpoint", otherwise)
    if checkpoint not in names:
        said.append(f"there is no checkpoint {shown(checkpoint)} here, so {otherwise} is shown")
        checkpoint = otherwise
    T, found = training_steps(str(checkpoint)), {}
    T_before = training_steps(before.checkpoint) if before is not None and before.checkpoint in names else T
    for name, field in FIELDS.items():
        fallback, asked_for = field.default_at(T), name in asked
        if before is not None:
            fallback, _ = field.kind.read(plain(getattr(before, name)), T)  # within this checkpoint's T
            untouched = field.default_at(T_before)
            if T_before != T and getattr(before, name) == untouched:
                fallback = field.default_at(T)
                asked_for = asked_for and field.kind.read(asked[name], T_before)[0] != untouched
        value = fallback
        if asked_for:
            read, words = field.kind.read(asked[name], T)
            value = fallback if read is None else read
            if words:
                said.append(f"{name}: {words}" + (" and was left out" if read is None else ""))
        found[name] = value
    if found["eta"] > 0 and found["solver"] != "ddim":
        said.append(f"η is 0: {solver_named(found['solver']).title} adds no noise")
        found["eta"] = 0.0
    x, y = found["grid_x"], found["grid_y"]
    if not vary_together(x, y):
        gives_way = "grid_x" if before is not None and y != before.grid_y else "grid_y"  # not the one just chosen
        stays = y if gives_way == "grid_x" else x
        left = (before.grid_x, before.grid_y) if before is not None else ()
        found[gives_way] = next(name for name in (*left, *AXIS_TITLES) if vary_together(name, stays))
        if x != y:
            said.append("a grid does not vary η with the solver: DPM-Solver++ adds no noise")
    return Corrected(PageSettings(checkpoint=str(checkpoint), **found), said)


def vary_together(x: str, y: str) -> bool:
    """Whether the page's grid may have these axes. Of the solvers one alone adds noise."""
    return x != y and {x, y} != {"eta", "solver"}

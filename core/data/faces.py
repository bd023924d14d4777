"""Toon faces, drawn not collected: a data set of 64×64 portraits that anyone can make again.

The drawings are DiceBear's "Toon Head" style, a remix of "ToonHead" by Johan Melin, licensed under
CC BY 4.0. Every attribute is drawn independently and kept as a label; the four colours are continuous,
so a path between two faces has something to move along. Face i of a split is a function of (seed, split, i).
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.data.colour import ramp, ring
from core.errors import DataError

SIZE = 64
STYLE = "toon-head"
ATTRIBUTION = (
    "Drawings: DiceBear style Toon Head, a remix of ToonHead "
    "(https://www.figma.com/community/file/1589627891082866389) by Johan Melin, CC BY 4.0."
)
# attribute → (its values in label order, the share of faces that have one at all; "none" is label 0 where < 1)
SHAPES: dict[str, tuple[tuple[str, ...], float]] = {
    "hair": (("bun", "sideComed", "spiky", "undercut"), 1.0),
    "rearHair": (("none", "longStraight", "longWavy", "neckHigh", "shoulderHigh"), 0.5),
    "eyes": (("bow", "happy", "humble", "wide", "wink"), 1.0),
    "eyebrows": (("angry", "happy", "neutral", "raised", "sad"), 1.0),
    "mouth": (("agape", "angry", "laugh", "sad", "smile"), 1.0),
    "beard": (("none", "chin", "chinMoustache", "fullBeard", "longBeard", "moustacheTwirl"), 0.3),
    "clothes": (("dress", "openJacket", "shirt", "tShirt", "turtleNeck"), 1.0),
}
SKIN = ("#4d2e22", "#8a563c", "#c58c68", "#f2ccb0")
HAIR = ("#1f1815", "#54301f", "#9a5a30", "#c9954f", "#ead3a0")
RINGS = {"background": (0.88, 0.06), "clothes": (0.58, 0.10)}  # OKLab lightness and chroma of a circle of hues
COLOURS = ("skin", "hair", "background", "clothes")


@dataclass(frozen=True)
class Face:
    """shapes: label of each attribute in SHAPES. colours: position 0..1 of each colour in COLOURS."""

    shapes: dict[str, int]
    colours: dict[str, float]


def draw(seed: int, split: int, index: int) -> Face:
    """Attributes of one face, all independent: shapes uniform over their variants, colours uniform on their ramp."""
    rng = np.random.default_rng([seed, split, index])
    shapes = {}
    for name, (values, share) in SHAPES.items():
        optional = values[0] == "none"
        shown = rng.random() < share
        pick = int(rng.integers(len(values) - optional)) + optional
        shapes[name] = pick if shown else 0
    return Face(shapes, {name: float(rng.random()) for name in COLOURS})


def colour_rgb(name: str, u: Any) -> NDArray[np.float64]:
    """sRGB 0..255 (…,3) of positions on the ramp or ring of ``name``."""
    if name in RINGS:
        return ring(*RINGS[name], u)
    return ramp({"skin": SKIN, "hair": HAIR}[name], u)


@cache
def _drawing_tools() -> tuple[Any, Any, Any]:
    """(Avatar, the style, the rasteriser). Raises DataError where the training extras are not installed."""
    try:
        import resvg_py
        from dicebear import Avatar, Style
    except ImportError as error:
        raise DataError(
            f"Drawing faces needs {error.name}: pip install -r requirements-train.txt, then try again."
        ) from error
    definition = json.loads((files("dicebear_styles") / f"{STYLE}.json").read_text(encoding="utf-8"))
    return Avatar, Style(definition), resvg_py.svg_to_bytes


def options(face: Face) -> dict[str, Any]:
    """What DiceBear is asked for: every choice is ours, nothing is left to its own generator."""
    chosen: dict[str, Any] = {"size": SIZE, "strokeColor": ["#000000"]}
    for name, label in face.shapes.items():
        value = SHAPES[name][0][label]
        chosen[f"{name}Probability"] = 0 if value == "none" else 100
        if value != "none":
            chosen[f"{name}Variant"] = [value]
    for name, u in face.colours.items():
        r, g, b = (round(float(c)) for c in colour_rgb(name, u))
        chosen[f"{name}Color"] = [f"#{r:02x}{g:02x}{b:02x}"]
    return chosen


def render(face: Face) -> NDArray[np.uint8]:
    """The picture of a face: 64×64×3 uint8."""
    avatar, style, rasterise = _drawing_tools()
    svg = avatar(style, options(face)).to_string()
    png = rasterise(svg_string=svg, width=SIZE, height=SIZE, skip_system_fonts=True)
    return np.asarray(Image.open(io.BytesIO(bytes(png))).convert("RGB"))

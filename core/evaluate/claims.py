"""What people write about the figures, with every figure in it read from the JSON when the page is rendered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import DataError
from core.evaluate.digits import measured, number, percent
from core.evaluate.rows import Document, cell
from core.evaluate.tables import NOT_RUN

FIGURE = re.compile(r"\[\[(?P<name>\S+) (?P<key>\S+) (?P<figure>[^\]\s]+)(?: (?P<written>[^\]\s]+))?\]\]")
DECIMALS = re.compile(r"\.\df")
# What is ± of a figure, where it is not called FIGURE_spread
SPREADS = {"frechet": "spread", "mse": "spread", "frechet_ends": "spread_ends"}


def claims_text(path: Path, documents: Sequence[Document]) -> str:
    """The text of a file in which ``[[NAME CELL FIGURE]]`` stands for a figure, such as
    ``[[toon-faces quality/eta=0/S=20 frechet]]``; parts of a figure follow with dots, ``rows.0.seconds``.

    A fourth word says how it is written: ``±`` with its spread, ``%`` as a percentage, ``±%`` as both, ``.1f`` with
    so many decimals, nothing with four digits. A cell that was not run reads so. Raises DataError for a checkpoint, a
    figure, a spread or a way of writing that does not exist.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    named = {document["checkpoint"]["name"]: document for document in documents}

    def value(match: re.Match[str]) -> str:
        if match["name"] not in named:
            raise DataError(f"{path} speaks of {match['name']}, which is not rendered: {', '.join(named)} are.")
        figures = cell(named[match["name"]], match["key"])
        if figures is None:
            return NOT_RUN
        try:
            return written(figures, match["figure"], match["written"])
        except LookupError as error:
            raise DataError(f"{path}: {match['key']} {error.args[0]}.") from error

    return FIGURE.sub(value, text).strip()


def written(figures: Mapping[str, Any], name: str, way: str | None) -> str:
    """A figure of a cell in one of the ways of ``claims_text``. Raises LookupError with what is wrong."""
    found = _number(figures, name)
    if way is None:
        return number(found)
    if way == "%":
        return percent(found)
    if DECIMALS.fullmatch(way):
        return format(found, way)
    if way not in ("±", "±%"):
        raise LookupError(f"cannot be written as {way}: ±, %, ±%, .0f to .9f or nothing")
    *path, leaf = name.split(".")
    spread = _number(figures, ".".join([*path, SPREADS.get(leaf, f"{leaf}_spread")]))
    return (measured if way == "±" else percent)(found, spread)


def _number(figures: Mapping[str, Any], name: str) -> float:
    """The figure of that name, whose parts follow with dots."""
    found: Any = figures
    for part in name.split("."):
        try:
            found = found[int(part)] if isinstance(found, list) else found[part]
        except (KeyError, IndexError, TypeError, ValueError):
            raise LookupError(f"has no {name}") from None
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise LookupError(f"has no number as {name}")
    return float(found)

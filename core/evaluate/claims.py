"""What people write about the figures, with every figure in it read from the JSON when the page is rendered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from core.errors import DataError
from core.evaluate.rows import Document, cell
from core.evaluate.tables import NOT_RUN, number

FIGURE = re.compile(r"\[\[(?P<name>\S+) (?P<key>\S+) (?P<figure>[^\]\s]+)\]\]")


def claims_text(path: Path, documents: Sequence[Document]) -> str:
    """The text of a file in which ``[[NAME CELL FIGURE]]`` stands for a figure, such as
    ``[[toon-faces quality/eta=0/S=20 frechet]]``; parts of a figure follow with dots, ``rows.0.seconds``.

    A cell that was not run reads so. Raises DataError for a checkpoint or a figure that does not exist.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    named = {document["checkpoint"]["name"]: document for document in documents}

    def value(match: re.Match[str]) -> str:
        if match["name"] not in named:
            raise DataError(f"{path} speaks of {match['name']}, which is not rendered: {', '.join(named)} are.")
        found: object = cell(named[match["name"]], match["key"])
        if found is None:
            return NOT_RUN
        for part in match["figure"].split("."):
            try:
                found = found[int(part)] if isinstance(found, list) else found[part]  # type: ignore[index]
            except (KeyError, IndexError, TypeError, ValueError) as error:
                raise DataError(f"{path}: {match['key']} has no {match['figure']}.") from error
        if isinstance(found, bool) or not isinstance(found, (int, float)):
            raise DataError(f"{path}: {match['figure']} of {match['key']} is no number.")
        return number(found)

    return FIGURE.sub(value, text).strip()

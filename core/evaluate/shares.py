"""What share of the pictures is as it should be: a toon face's checks, a class that is clear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.evaluate.digits import percent
from core.evaluate.rows import Document, cell, quality_rows
from core.evaluate.tables import eta_name, table

CHECKS = {"hue": "skin hue", "flat": "flat background", "luminance": "luminance", "all": "all three"}


def shares(figures: Mapping[str, Any]) -> dict[str, str]:
    """What share of a cell's pictures is as it should be, in words: the checks of a toon face, and of a net that knows
    one class, the share that it is unsure of. Nothing where nothing of it was measured."""
    found: dict[str, float] = {}
    if figures.get("checks") is not None:
        found |= {title: figures["checks"][check] for check, title in CHECKS.items()}
    unsure = figures.get("unsure") or {}
    if len(unsure) == 1:
        found["no clear class"] = next(iter(unsure.values()))
    return {name: percent(share) for name, share in found.items()}


def shares_table(document: Document) -> str | None:
    """``shares`` of the held-out data and of every quality cell, where any were measured."""
    lines = {"held-out data": cell(document, "quality/floor")}
    for row in quality_rows(document):
        lines[f"{eta_name(row.eta)}, S = {row.S}"] = cell(document, f"quality/eta={row.eta}/S={row.S}")
    found = {name: shares(figures or {}) for name, figures in lines.items()}
    names = list(dict.fromkeys(title for line in found.values() for title in line))
    body = [[name, *(line.get(title, "–") for title in names)] for name, line in found.items() if line]
    return table(["", *names], body) if body else None

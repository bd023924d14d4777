"""What follows from T, the length of a checkpoint's schedule: where the sliders stop, and what the presets are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

SHORT_T = 200
# name, S of a long schedule, share of a short one, η
PRESETS = (("Fast", 10, 0.1, 0.0), ("Balanced", 20, 0.2, 0.0), ("Fine", 100, 0.5, 0.0), ("DDPM-like", 200, 1.0, 1.0))


def log_stops(T: int) -> list[int]:
    """Slider stops from 1 to T, evenly spread in the logarithm: every S to 10, then round numbers."""
    ladder = [1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8]
    stops = {*range(1, 11), T}
    decade = 10
    while decade <= T:
        stops.update(int(decade * r) for r in ladder)
        decade *= 10
    return sorted(s for s in stops if s <= T)


def presets(T: int) -> list[list[object]]:
    """[label, S, η] of each button; the last is DDPM, as near as one waits for."""
    at = [(name, S if T >= SHORT_T else max(1, round(share * T)), eta) for name, S, share, eta in PRESETS]
    return [[name if eta else f"{name} {S}", S, eta] for name, S, eta in at]


def of_lengths(lengths: Iterable[int]) -> dict[str, Any]:
    """Both for each T, by its text, as the browser holds them."""
    each = sorted(set(lengths))
    return {"stops": {str(T): log_stops(T) for T in each}, "presets": {str(T): presets(T) for T in each}}

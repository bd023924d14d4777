"""How figures are written: as many digits as their spread carries, and no more."""

from __future__ import annotations

import math

SMALLEST_DECIMAL = 6  # 0.000073 can still be read; below it, a power of ten says it better
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | None) -> str:
    """Four significant digits, for what has no spread; "–" for None."""
    return "–" if value is None else f"{value:.4g}"


def measured(value: float | None, spread: float | None) -> str:
    """Value ± spread: the spread to two significant digits, the value to the same place; "–" for None."""
    if value is None or spread is None:
        return number(value)
    if not (spread > 0 and math.isfinite(value + spread)):
        return f"{number(value)} ± {number(spread)}"
    place = 1 - _exponent(spread)  # of the spread's second digit, counted behind the point
    if place <= SMALLEST_DECIMAL:
        return " ± ".join(_rounded(x, place) for x in (value, spread))
    power = _exponent(max(abs(value), spread))
    shown = " ± ".join(_rounded(x / 10**power, place + power) for x in (value, spread))
    return f"({shown}) × 10{str(power).translate(SUPERSCRIPTS)}"


def percent(share: float | None, spread: float | None = None) -> str:
    """A share in 0..1 as a percentage: to one decimal, or as its spread allows; "–" for None."""
    if share is None:
        return "–"
    shown = f"{100 * share:.1f}" if spread is None else measured(100 * share, 100 * spread)
    return f"{shown} %"


def _exponent(value: float) -> int:
    """Of the power of ten, once the value is rounded to two significant digits (0.0996 is 0.10)."""
    return int(f"{value:.1e}".partition("e")[2])


def _rounded(value: float, place: int) -> str:
    return f"{round(value, place):.{max(place, 0)}f}"

"""What one call may cost, however fast this machine is. Pure.

Time is bounded by an estimate (Pace.expected_ms), which is nothing before anything was measured; these bounds
hold from the first call on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import RequestError

MILLION = 1_000_000


@dataclass(frozen=True)
class Limits:
    """pictures: of one call of the API. megapixels: pictures × steps × pixels of one call, in millions. page: the same
    of one change on the page, or None for no limit there."""

    pictures: int = 64
    megapixels: int = 300  # 64 pictures of 64×64 with DDPM's 1000 steps are 262
    page: int | None = None


def megapixels(evaluated: Iterable[tuple[int, int]], height: int, width: int) -> int:
    """What runs of (pictures, steps) each cost, in millions of pixels, rounded up."""
    return -(-sum(pictures * steps for pictures, steps in evaluated) * height * width // MILLION)


def check_pictures(pictures: int, limits: Limits) -> None:
    """Raise RequestError for more than a call may have."""
    if pictures > limits.pictures:
        raise RequestError(f"At most {limits.pictures} pictures are made a call, not {pictures}: ask for fewer.")


def check_cost(what: str, cost: int, most: int | None, option: str) -> None:
    """Raise RequestError where a cost in millions of pixels is above the most. what: "This call". option: what the host
    would start app.py with."""
    if most is not None and cost > most:
        raise RequestError(
            f"{what} takes {cost:,} million pixels (pictures × steps × pixels), and {most:,} are allowed here: ask for "
            f"fewer pictures or steps, or start app.py with {option} {cost}."
        )

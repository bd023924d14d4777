"""A grid of runs: one setting varies from column to column, another from row to row, and all else is the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.errors import RequestError
from core.plain_numbers import excerpt, listed
from core.request import Request

AXES = ("steps", "eta", "seed", "spacing", "solver")  # what may vary: settings of a sampler, and the seed of x_T


@dataclass(frozen=True)
class Axis:
    """name: of AXES. values: of the columns, or of the rows, in their order; what each may be is a request's to say.

    Raises RequestError for another name and for no values.
    """

    name: str
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or self.name not in AXES:
            raise RequestError(f"A grid varies {', '.join(AXES)}, not {excerpt(self.name)}.")
        values = listed(self.values, f"The values of {self.name} in a grid must be a list, such as [2, 5]")
        object.__setattr__(self, "values", tuple(values))
        if not self.values:
            raise RequestError(f"A grid needs at least one value of {self.name}.")


def value_of(request: Request, name: str) -> Any:
    """What a request has of an axis."""
    return request.seeds[0] if name == "seed" else getattr(request.settings, name)


def cells(base: Request, columns: Axis, rows: Axis) -> list[Request]:
    """The requests of a grid, row by row: ``base``, of one seed, with a value of each axis in place of its own.

    Raises RequestError where both axes are one, and for a value that a request refuses.
    """
    if columns.name == rows.name:
        raise RequestError(f"The columns and rows of a grid vary two settings, not both {columns.name}.")
    return [_with(base, {rows.name: down, columns.name: across}) for down in rows.values for across in columns.values]


def _with(base: Request, values: dict[str, Any]) -> Request:
    seeds = (values.pop("seed"),) if "seed" in values else base.seeds
    return replace(base, seeds=seeds, settings=replace(base.settings, **values))


def stand_in(requests: Sequence[Request], columns: Axis, rows: Axis) -> bool:
    """Whether requests are the cells of a grid, row by row, and differ in nothing but its axes."""
    try:
        return list(requests) == cells(requests[0], columns, rows)
    except RequestError:
        return False

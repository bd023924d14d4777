"""The JSON inside every exported file: how it is built, and the one way back.

"ddim-run/1" is one run. "ddim-runs/1" is a file of several: {"schema", "kind", "runs": [records of one run]}, kind
"race", "grid" or "branches". A grid also has "columns" and "rows", each {"setting", "values"}; its runs stand row by
row and differ in nothing else. Branches have "at", the t at which those of each run part, and their runs differ in
nothing else. Until there was the second, a file of several had its first run's record with all of them under "race" or
"grid"; then a grid had "steps" and "etas", its columns and rows. ``current`` turns these into today's, and nothing else
knows of them.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from core.axes import Axis, stand_in
from core.branches import Branches
from core.embedded import embedded_text
from core.errors import DataError, RequestError
from core.request import Request, SamplerSettings

if TYPE_CHECKING:
    from core.timing import Timing

RUN, RUNS = "ddim-run/1", "ddim-runs/1"
KINDS = ("race", "grid", "branches")
OLD_KINDS = ("race", "grid")  # those that a file of earlier versions may have
MAX_RUNS, MAX_LISTED = 4096, 10_000  # runs of a file; seeds, or steps, of a run

Record = Mapping[str, object]


class Identity(Protocol):
    """Which weights made a run; a Checkpoint is one."""

    @property
    def name(self) -> str: ...

    @property
    def sha256(self) -> str: ...


def run_record(checkpoint: Identity, request: Request, timing: Timing, latents_sha256: str | None) -> dict[str, object]:
    """request must be resolved: no setting left to a default that could change.

    latents_sha256 is set when x_T was given rather than drawn from the seeds; the file must then be kept too.
    """
    return {
        "schema": RUN,
        "checkpoint": {"name": checkpoint.name, "sha256": checkpoint.sha256},
        "request": asdict(request),
        "latents_sha256": latents_sha256,
        "timing": timing.as_dict(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
    }


def race_record(runs: Sequence[Record]) -> dict[str, object]:
    return {"schema": RUNS, "kind": "race", "runs": list(runs)}


def grid_record(runs: Sequence[Record], columns: Axis, rows: Axis) -> dict[str, object]:
    """runs: row by row."""
    across, down = ({"setting": axis.name, "values": list(axis.values)} for axis in (columns, rows))
    return {"schema": RUNS, "kind": "grid", "columns": across, "rows": down, "runs": list(runs)}


def branches_record(runs: Sequence[Record]) -> dict[str, object]:
    """runs: one for each t at which its branches begin."""
    return {
        "schema": RUNS,
        "kind": "branches",
        "at": [_branches_of(request_of(run)).at for run in runs],
        "runs": [*runs],
    }


def to_text(record: Record) -> str:
    """ASCII, since EXIF and GIF comments are safest so."""
    return json.dumps(record, separators=(",", ":"))


@dataclass(frozen=True)
class Recorded:
    """A record that was read and checked. kind: "run", "race", "grid" or "branches". runs: the record of each run, at
    least one, and requests: what each was asked. columns, rows: of a grid. at: the t of each row of branches."""

    kind: str
    runs: tuple[Mapping[str, Any], ...]
    requests: tuple[Request, ...]
    columns: Axis | None = None
    rows: Axis | None = None
    at: tuple[int, ...] = ()


def read_record(path: str | Path) -> dict[str, object]:
    """The record inside an exported PNG, GIF, WebP or MP4, as this version writes it. Raises DataError without one."""
    try:
        raw = json.loads(embedded_text(path) or "")
    except (ValueError, RecursionError):
        raw = None
    if not isinstance(raw, dict) or raw.get("schema") not in (RUN, RUNS):
        raise DataError(f"{Path(path).name} carries no run settings: {_why_none(path)}.")
    record = current(raw)
    recorded(record)
    return record


def _why_none(path: str | Path) -> str:
    with Path(path).open("rb") as file:
        jpeg = file.read(3) == b"\xff\xd8\xff"
    return (
        "a JPEG cannot, so they were lost when it was saved again"
        if jpeg
        else ("it was not exported by this program, or they were lost when it was saved again")
    )


def current(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A record of any version as this one writes it. Raises DataError where it cannot be."""
    if raw.get("schema") == RUNS and raw.get("kind") == "grid" and "steps" in raw:
        rest = {name: value for name, value in raw.items() if name not in ("steps", "etas")}
        return rest | grid_record(_listed_runs(raw), _axis("steps", raw["steps"]), _axis("eta", raw.get("etas")))
    kinds = [kind for kind in OLD_KINDS if kind in raw] if raw.get("schema") == RUN else []
    if not kinds:
        return dict(raw)
    runs = raw[kinds[0]]
    if len(kinds) > 1 or not isinstance(runs, list):
        raise _foreign()
    if kinds == ["race"]:
        return race_record(runs)
    return grid_record(runs, *_columns_and_rows([request_of(run).settings for run in _bounded(runs, MAX_RUNS, "runs")]))


def _listed_runs(raw: Mapping[str, Any]) -> Sequence[Any]:
    return _bounded(raw.get("runs"), MAX_RUNS, "runs")


def _pair(axis: object) -> tuple[object, object]:
    if not isinstance(axis, dict):
        raise _foreign()
    return axis.get("setting"), axis.get("values")


def _axis(name: object, values: object) -> Axis:
    try:
        return Axis(name, tuple(_bounded(values, MAX_RUNS, "values")))  # type: ignore[arg-type]  # it checks the name
    except RequestError as error:
        raise _foreign() from error


def _columns_and_rows(cells: Sequence[SamplerSettings]) -> tuple[Axis, Axis]:
    """(S of each column, η of each row) of cells that stand row by row. Raises DataError for no such order."""
    for n in (n for n in range(1, len(cells) + 1) if len(cells) % n == 0):
        steps, etas = [s.steps for s in cells[:n]], [s.eta for s in cells[::n]]
        if all(s.steps == steps[i % n] and s.eta == etas[i // n] for i, s in enumerate(cells)):
            return Axis("steps", tuple(steps)), Axis("eta", tuple(etas))
    raise _foreign()


def recorded(record: Record) -> Recorded:
    """A record of any version, checked. Raises DataError, in one sentence, for one that is not ours."""
    raw = current(record)
    if raw.get("schema") != RUNS:
        return Recorded("run", (raw,), (_check_run(raw),))
    kind, runs = raw.get("kind"), _listed_runs(raw)
    if kind not in KINDS or not runs:
        raise _foreign()
    requests = tuple(_check_run(run) for run in runs)
    if kind == "race":
        return Recorded("race", tuple(runs), requests)
    if kind == "branches":
        return Recorded("branches", tuple(runs), requests, at=_rows_of_branches(raw.get("at"), requests))
    columns, rows = (_axis(*_pair(raw.get(name))) for name in ("columns", "rows"))
    if len(columns.values) * len(rows.values) != len(requests) or not stand_in(requests, columns, rows):
        raise _foreign()
    return Recorded("grid", tuple(runs), requests, columns, rows)


def _rows_of_branches(said: object, requests: Sequence[Request]) -> tuple[int, ...]:
    """The t of each row. Raises DataError where the runs differ in more than that."""
    at = tuple(_branches_of(request).at for request in requests)
    first = requests[0]
    for request, t in zip(requests, at, strict=True):
        start = first.start if first.start != at[0] else t  # an x_t that was given belongs to its row
        if request != replace(first, start=start, branches=replace(_branches_of(first), at=t)):
            raise _foreign()
    if said != list(at) or len(set(at)) != len(at):
        raise _foreign()
    return at


def _branches_of(request: Request) -> Branches:
    if request.branches is None:
        raise _foreign()
    return request.branches


def request_of(record: Record) -> Request:
    """The Request that the record of one run describes. Raises DataError if it is not one of ours."""
    try:
        raw = dict(record["request"])  # type: ignore[call-overload]
        settings = dict(raw.pop("settings"))
        if settings["timesteps"] is not None:
            settings["timesteps"] = tuple(settings["timesteps"])
            if not all(type(t) is int for t in settings["timesteps"]):
                raise _foreign()
        if raw.get("place") is not None:  # records of the first version have neither sheet nor place
            raw["place"] = tuple(raw["place"])
        if raw.get("branches") is not None:
            raw["branches"] = Branches(**raw["branches"])
        return Request(settings=SamplerSettings(**settings), **{**raw, "seeds": tuple(raw["seeds"])})
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:  # a RequestError is a ValueError
        raise _foreign() from error


def _check_run(record: object) -> Request:
    """Check the record of one run, all that anything here reads of it, and return its request."""
    if not isinstance(record, dict) or record.get("schema") != RUN or any(kind in record for kind in OLD_KINDS):
        raise _foreign()
    request = request_of(record)
    _bounded(request.seeds, MAX_LISTED, "seeds")
    _bounded(request.settings.timesteps or (), MAX_LISTED, "steps")
    for part in ("checkpoint", "timing", "versions"):
        if not isinstance(record.get(part), dict):
            raise DataError(f"This record is incomplete: it says nothing of its {part}.")
    made, timing, latents = record["checkpoint"], record["timing"], record.get("latents_sha256")
    words = [made.get("name"), made.get("sha256")]
    words += [timing.get(name) for name in ("device", "device_name", "precision")]
    words += [word for word in (latents, *record["versions"].values()) if word is not None]
    counts = [timing.get(name) for name in ("threads", "batch")]
    total_s = timing.get("total_s")
    if request.start is not None and latents is None:  # it began from latents that nobody could name
        raise _foreign()
    whole = all(type(n) is int and 0 < n < 1 << 31 for n in counts)
    if not whole or not all(map(_is_text, words)) or type(total_s) not in (int, float) or not 0 <= total_s < 1e12:
        raise _foreign()
    return request


def _is_text(value: object) -> bool:
    """Whether it is a short string that can be shown; JSON can hold half a character."""
    return isinstance(value, str) and len(value) <= 1000 and value.encode("utf-8", "replace").decode() == value


def _bounded(value: object, most: int, name: str) -> Sequence[Any]:
    """A list of a record, where it is one and not too long to be looked at."""
    if not isinstance(value, (list, tuple)):
        raise _foreign()
    if len(value) > most:
        raise DataError(f"This record names {len(value):,} {name}: at most {most:,} are read.")
    return value


def _foreign() -> DataError:
    return DataError("This record does not describe a run of this program.")

"""The controls that show a recorded run again. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch

from core.axes import AXES, Axis, value_of
from core.branches import Branches
from core.device import device_name
from core.engine import Engine
from core.record import Recorded
from core.request import Request
from core.solvers import SOLVERS
from demo.field_lists import Lane, plain
from demo.settings import (
    BRANCHES,
    COUNTS,
    FRAMES,
    FRAMES_BETWEEN,
    GRID_LISTS,
    MAX_GRID,
    MAX_KEYS,
    MAX_LANES,
    MAX_PAGE_SEED,
    MAX_ROWS,
    SHEET,
    SHEET_STEPS,
    vary_together,
)

VERSIONS = ("torch", "numpy")  # what a last bit may depend on


@dataclass(frozen=True)
class Here:
    """What a record is compared with: the checkpoint that would repeat it, and this machine. folder: the checkpoint's,
    as a command line names it. clips: whether its sampling clips x̂0 unless told otherwise. fits: pictures at once."""

    checkpoint: str
    folder: str
    sha256: str
    T: int
    clips: bool
    fits: int
    device: str
    device_name: str
    precision: str
    backend: str
    threads: int
    versions: Mapping[str, str]

    @classmethod
    def of(cls, engine: Engine, folder: str) -> Here:
        return cls(
            checkpoint=engine.checkpoint.name,
            folder=folder,
            sha256=engine.checkpoint.sha256,
            T=engine.T,
            clips=engine.clip_range(Request()) is not None,
            fits=engine.fits,
            device=str(engine.device),
            device_name=device_name(engine.device),
            precision=engine.precision,
            backend=engine.backend,
            threads=torch.get_num_threads(),
            versions=dict(zip(VERSIONS, (torch.__version__, numpy.__version__), strict=True)),
        )


def controls_of(found: Recorded, here: Here) -> dict[str, Any]:
    """What to set the page to, the view included, as the browser holds it. Raises ValueError where it has no controls
    for such a run."""
    requests = found.requests
    if any(run.get("latents_sha256") for run in found.runs):
        raise ValueError("It began from given latents, or those of a picture: the page has no control for them.")
    for request in requests:
        shown_here(request, here)
    first = requests[0]
    s, seeds = first.settings, first.seeds
    base: dict[str, Any] = {"checkpoint": here.checkpoint, "spacing": s.spacing}
    if s.label is not None:
        base["label"] = s.label
    if found.kind == "race":
        if any(r.settings.solver != "ddim" for r in requests):
            raise ValueError(f"The page's races are sampled by DDIM, this one by {SOLVERS[s.solver].title}.")
        lanes = tuple(Lane(r.settings.steps, r.settings.eta, r.settings.spacing or "leading") for r in requests)
        limit("runners", len(lanes), MAX_LANES)
        return base | {"view": "compare", "seed": seeds[0], "lanes": plain(lanes)}
    if found.columns is not None and found.rows is not None:
        return base | grid_controls(first, found.columns, found.rows)
    base |= {"steps": s.steps, "eta": s.eta, "solver": s.solver}
    if first.branches is not None:
        return base | branch_controls(requests, first.branches)
    if first.sheet is not None or first.place is not None:
        if first.sheet not in (None, SHEET):
            raise ValueError(
                f"The page's sheet has {SHEET} × {SHEET} pictures, this one {first.sheet} × {first.sheet}."
            )
        if first.sheet is not None and s.steps > SHEET_STEPS:
            raise ValueError(f"The page's sheet takes {SHEET_STEPS} steps at most, this one took {s.steps}.")
        base |= {"view": "interpolate", "corners": plain(seeds), "own_noise": first.own_noise}
        return base | ({} if first.place is None else {"place": plain(first.place)})
    if first.frames is not None:
        return base | path_controls(first)
    if list(seeds) != list(range(seeds[0], seeds[0] + len(seeds))) or len(seeds) not in COUNTS:
        raise ValueError(f"Explore shows {', '.join(map(str, COUNTS))} neighbouring seeds, this run has others.")
    return base | {"view": "explore", "seed": seeds[0], "count": len(seeds)}


def grid_controls(first: Request, columns: Axis, rows: Axis) -> dict[str, Any]:
    """Grid's axes with their values, and what the sliders say of all else."""
    varied = (columns.name, rows.name)
    if not vary_together(*varied):
        raise ValueError("The page's grids do not vary η with the solver.")
    if "eta" in varied and first.settings.solver != "ddim":
        raise ValueError("The page's grids that vary η are sampled by DDIM, this one is not.")
    for what, axis in (("columns", columns), ("rows", rows)):
        limit(what, len(set(axis.values)), MAX_GRID)
    lists = {GRID_LISTS[axis.name]: sorted(set(axis.values)) for axis in (columns, rows)}
    fixed = {name: value_of(first, name) for name in AXES if name not in varied}
    return {"view": "grid", "grid_x": columns.name, "grid_y": rows.name, **fixed, **lists}


def branch_controls(requests: Sequence[Request], first: Branches) -> dict[str, Any]:
    """Branches' rows, be they one."""
    if first.count not in BRANCHES:
        raise ValueError(
            f"The page shows {', '.join(map(str, BRANCHES))} branches from each t, this run {first.count}."
        )
    at = sorted(request.branches.at for request in requests if request.branches is not None)
    limit("rows", len(at), MAX_ROWS)
    rows = {"branch_at": at, "branch_eta": first.eta, "branch_count": first.count}
    return {"view": "branches", "seed": requests[0].seeds[0], **rows}


def path_controls(request: Request) -> dict[str, Any]:
    """Explore's strip where it is one, else the timeline of Interpolate."""
    seeds, frames = request.seeds, request.frames or 0
    if len(seeds) == 2 and frames == FRAMES and not request.loop and not request.own_noise:
        return {"view": "explore", "seed": seeds[0], "seed_to": seeds[1]}
    limit("keys", len(seeds), MAX_KEYS)
    between, rest = divmod(frames, len(seeds)) if request.loop else divmod(frames - 1, len(seeds) - 1)
    if rest or between not in FRAMES_BETWEEN:
        raise ValueError(
            f"Interpolate puts {', '.join(map(str, FRAMES_BETWEEN))} pictures between keys; {frames} fit none of these."
        )
    keys = {"keys": plain(seeds), "between": between}
    return {"view": "interpolate", **keys, "loop": request.loop, "own_noise": request.own_noise}


def limit(what: str, n: int, most: int) -> None:
    if n > most:
        raise ValueError(f"The page has room for {most} {what}, this run has {n}.")


def shown_here(request: Request, here: Here) -> None:
    """Raises ValueError for settings that no control of the page can take."""
    s = request.settings
    if request.start is not None:
        raise ValueError("The page has no control for a start below x_T.")
    if s.timesteps is not None or s.sigma_hat:
        raise ValueError("The page has no control for σ̂ or a step list of its own.")
    if s.solver != "ddim" and s.eta > 0:
        raise ValueError(f"{SOLVERS[s.solver].title} adds no noise, and this run has η = {s.eta:g}.")
    if s.clip is not None and s.clip != here.clips:
        raise ValueError("The page follows the checkpoint's own clipping, this run did not.")
    if s.steps > here.T:
        raise ValueError(f"{here.checkpoint} has {here.T} steps, this run took {s.steps}.")
    if max(request.seeds) > MAX_PAGE_SEED:
        raise ValueError(f"The page takes seeds up to {MAX_PAGE_SEED}.")

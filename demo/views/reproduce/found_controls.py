"""The controls that show a recorded run again. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy
import torch

from core.device import device_name
from core.engine import Engine
from core.record import Recorded
from core.request import Request
from core.solvers import SOLVERS
from demo.fields import Lane, plain
from demo.settings import (
    COUNTS,
    FRAMES,
    FRAMES_BETWEEN,
    MAX_GRID_ETAS,
    MAX_GRID_STEPS,
    MAX_KEYS,
    MAX_LANES,
    MAX_PAGE_SEED,
    SHEET,
    SHEET_STEPS,
)

VERSIONS = ("torch", "numpy")  # what a last bit may depend on


@dataclass(frozen=True)
class Here:
    """What a record is compared with: the checkpoint that would repeat it, and this machine. folder: the
    checkpoint's, as a command line names it. clips: whether its sampling clips x̂0 unless told otherwise."""

    checkpoint: str
    folder: str
    sha256: str
    T: int
    clips: bool
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
    for request in requests:
        shown_here(request, here, found.kind in ("race", "grid"))
    first = requests[0]
    s, seeds = first.settings, first.seeds
    base: dict[str, Any] = {"checkpoint": here.checkpoint, "spacing": s.spacing}
    if found.kind == "race":
        lanes = tuple(Lane(r.settings.steps, r.settings.eta, r.settings.spacing or "leading") for r in requests)
        limit("runners", len(lanes), MAX_LANES)
        return base | {"view": "compare", "seed": seeds[0], "lanes": plain(lanes)}
    if found.kind == "grid":
        steps, etas = sorted(set(found.steps)), sorted(set(found.etas))
        limit("columns", len(steps), MAX_GRID_STEPS)
        limit("rows", len(etas), MAX_GRID_ETAS)
        grid = {"grid_steps": plain(steps), "grid_etas": plain(etas)}
        return base | grid | {"view": "grid", "seed": seeds[0]}
    base |= {"steps": s.steps, "eta": s.eta, "solver": s.solver}
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


def shown_here(request: Request, here: Here, together: bool) -> None:
    """Raises ValueError for settings that no control of the page can take."""
    s = request.settings
    if request.branches is not None or request.start is not None:
        raise ValueError("The page has no controls for branches or for a start below x_T.")
    if s.timesteps is not None or s.sigma_hat:
        raise ValueError("The page has no control for σ̂ or a step list of its own.")
    if s.solver != "ddim" and (together or s.eta > 0):
        raise ValueError(f"The page's races and grids are sampled by DDIM, this run by {SOLVERS[s.solver].title}.")
    if s.clip is not None and s.clip != here.clips:
        raise ValueError("The page follows the checkpoint's own clipping, this run did not.")
    if s.steps > here.T:
        raise ValueError(f"{here.checkpoint} has {here.T} steps, this run took {s.steps}.")
    if max(request.seeds) > MAX_PAGE_SEED:
        raise ValueError(f"The page takes seeds up to {MAX_PAGE_SEED}.")

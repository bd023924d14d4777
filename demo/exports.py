"""Files for the download buttons, encoded when asked for and not before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.export import boomerang, enlarge, gif_bytes, png_bytes, webp_bytes
from core.grid import legend_sheet
from core.pixels import sheet
from core.race import FRAME_MS, Runner, clock_frames
from core.record import request_of
from core.request import Request
from demo.panels_of import cell_name
from demo.settings import PageSettings
from demo.views import seconds

KINDS = {
    "strip-gif": ("strip", "interpolation.gif"),
    "strip-webp": ("strip", "interpolation.webp"),
    "strip-png": ("strip", "interpolation.png"),
    "samples-png": ("samples", "samples.png"),
    "path-gif": ("path", "path.gif"),
    "path-webp": ("path", "path.webp"),
    "sheet-png": ("sheet", "sheet.png"),
    "race-gif": ("lane", "race.gif"),
    "grid-png": ("cell", "grid.png"),
    "a-gif": ("a", "trajectory-a.gif"),
    "b-gif": ("b", "trajectory-b.gif"),
}


def encode(kind: str, pictures: Any, record: dict[str, object]) -> bytes:
    """The bytes of one export. Trajectories show x_t and x̂0 side by side and hold their end."""
    if kind == "strip-gif":
        return gif_bytes(enlarge(boomerang(pictures)), record)
    if kind == "strip-webp":
        return webp_bytes(enlarge(boomerang(pictures)), record)
    if kind in ("path-gif", "path-webp"):
        return path_animation(kind, pictures, record)
    if kind in ("a-gif", "b-gif"):
        x_t, x0_hat = pictures
        frames = np.concatenate([x_t, np.full_like(x_t[:, :, :2], 255), x0_hat], axis=2)
        return gif_bytes(enlarge(frames), record, hold_ms=1500)
    columns = len(pictures) if kind == "strip-png" else None  # a sheet's own side is its square root
    return png_bytes(sheet(enlarge(pictures, 84), columns), record)


def path_animation(kind: str, pictures: Any, record: dict[str, object]) -> bytes:
    """A path through key seeds. A loop comes back by itself; any other path goes there and back."""
    request = request_of(record)
    frames = enlarge(pictures if request.loop else boomerang(pictures))
    return (gif_bytes if kind == "path-gif" else webp_bytes)(frames, record)


def race(finished: dict[str, Any]) -> bytes:
    """All runners' films against their clocks, as one GIF that carries every runner's record."""
    lanes = [finished[name] for name in sorted(finished) if name.startswith("lane")]
    runners = [Runner(value["label"], film[0], tuple(value["at_s"])) for _, value, (film, _) in lanes]
    records = [record for _, _, (_, record) in lanes]
    frames, _ = clock_frames(runners)
    return gif_bytes(frames, {**records[0], "race": records}, FRAME_MS, hold_ms=2000)


def grid(finished: dict[str, Any], page: PageSettings) -> bytes:
    """The matrix with its legend, carrying every cell's record."""
    cells = [[finished[cell_name(S, eta)] for S in page.grid_steps] for eta in page.grid_etas]
    pictures = np.stack([np.concatenate([pictures for _, _, (pictures, _) in row]) for row in cells])
    times = [[seconds(value["total_s"]) for _, value, _ in row] for row in cells]
    records = [record for row in cells for _, _, (_, record) in row]
    (checkpoint, request), value, _ = cells[0][0]  # the page may want another seed by now
    note = f"{checkpoint}, seed {request.seeds[0]}, {request.settings.spacing}; {value['machine']}"
    picture = legend_sheet(pictures, page.grid_steps, page.grid_etas, times, note)
    return png_bytes(picture, {**records[0], "grid": records})


def parts(kind: str, page: PageSettings | None) -> list[str]:
    """The names of the runs that an export is made of."""
    name = KINDS[kind][0]
    if name == "lane":
        return [f"lane{i}" for i in range(len(page.lanes))] if page else []
    if name == "cell":
        return [cell_name(S, eta) for eta in page.grid_etas for S in page.grid_steps] if page else []
    return [name]


def check_together(kind: str, made: list[tuple[str, Request]], page: PageSettings) -> None:
    """Raises ValueError unless the runs of a race or a grid start from one x_T, and differ only in what the file says
    of each. made: (checkpoint, request) of each, in the order of ``parts``."""
    race = kind == "race-gif"
    alike = {(checkpoint, request.seeds, None if race else request.settings.spacing) for checkpoint, request in made}
    if len(alike) > 1:
        what = "seed or checkpoint" if race else "seed, spacing or checkpoint"
        raise ValueError(f"These pictures differ in {what}: wait until all have finished, or press Run again.")
    for i, (lane, (_, request)) in enumerate(zip(page.lanes, made, strict=True) if race else ()):
        s = request.settings
        if (s.steps, s.eta, s.spacing) != (lane.steps, lane.eta, lane.spacing):
            who = f"Runner {'ABCD'[i]}"
            raise ValueError(f"{who} shows earlier settings: wait until it has finished, or press Run again.")


def write(kind: str, finished: dict[str, Any], folder: Path, page: PageSettings | None = None) -> Path:
    """Write the newest finished run of a panel into a folder. Raises ValueError if there is none, or if the runs of
    one file do not belong together. page: the newest settings; they say which runs make up a race or a grid."""
    filename, names = KINDS[kind][1], parts(kind, page)
    if not names or not all(name in finished for name in names):
        raise ValueError("There is nothing to download yet: wait until this panel has finished.")
    if kind in ("race-gif", "grid-png") and page is not None:
        check_together(kind, [finished[name][0] for name in names], page)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / filename
    if kind == "race-gif":
        data = race({name: finished[name] for name in names})
    elif kind == "grid-png" and page is not None:
        data = grid(finished, page)
    else:
        data = encode(kind, *finished[names[0]][2])
    path.write_bytes(data)
    return path

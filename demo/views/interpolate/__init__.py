"""Interpolate: a path through key seeds beside its pixel cross-fade, and a sheet between four seeds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from core.request import Request
from demo.jobs import Finished, Job, settings_of
from demo.layout import control, panel, view_column
from demo.pictures import tiles_picture
from demo.scene import TITLES, Scene, film_suffixes, whole_state
from demo.settings import SHEET, SHEET_STEPS, PageSettings
from demo.view import View

if TYPE_CHECKING:
    from demo.host import EngineHost

SIDE = 84  # pixels, at least, of a picture in a PNG
FEW_STEPS = 4  # of the sheet before it runs


def layout(host: EngineHost) -> None:
    with view_column("interpolate"), gr.Row(equal_height=True, elem_classes="pair-row"):
        with gr.Column(scale=1, min_width=320, elem_classes="card"):
            panel("path")
            with gr.Column(elem_classes="padded"):
                control("keys")
                with gr.Row():
                    control("between")
                    with gr.Column(min_width=150):
                        control("loop")
                        control("own_noise")
        with gr.Column(scale=1, min_width=320, elem_classes="card"):
            panel("square")
            with gr.Column(elem_classes="padded"):
                control("corners")


def jobs(page: PageSettings) -> list[Job]:
    main = settings_of(page)
    few = replace(main, steps=min(main.steps, SHEET_STEPS))
    own = page.own_noise
    return [
        Job("place", Request(page.corners, main, place=page.place), alone=True, answers=True),
        Job("path", Request(page.keys, main, frames=page.frames, loop=page.loop, own_noise=own)),
        Job("sheet", Request(page.corners, few, sheet=SHEET, own_noise=own), few=FEW_STEPS),
    ]


def panels(scene: Scene) -> dict[str, Any]:
    out: dict[str, Any] = {}
    path, run = scene.of("path"), scene.result("path")
    if path is not None:
        if run is not None and path["state"] in ("done", "stale"):
            path |= scene.once(("fade", id(run)), lambda: faded(run))
        files = [scene.file(TITLES[suffix], "path", "path", suffix, strip) for suffix in film_suffixes()]
        out["path"] = scene.with_files(path, *files)
    parts = {name: scene.of(name) for name in ("sheet", "place")}
    square = {**parts, "state": whole_state(list(parts.values()))}
    out["square"] = scene.with_files(square, scene.file("PNG of the sheet", "sheet", "sheet", ".png", sheet))
    return out


def faded(run: Finished) -> dict[str, Any]:
    """The same path as a cross-fade of its key pictures."""
    request = run.job.request
    keys, frames = len(request.seeds), request.frames or 0
    between = frames // keys if request.loop else (frames - 1) // (keys - 1)
    return {"fade": tiles_picture(cross_fade(run.pixels, keys, between, request.loop)), "between": between}


def cross_fade(pictures: NDArray[np.uint8], keys: int, between: int, loop: bool) -> NDArray[np.uint8]:
    """The path in pixels: key pictures mixed linearly, for contrast. pictures: the path's frames N×H×W×3, of which
    every ``between``-th is a key's own."""
    at = np.arange(len(pictures)) / between
    low = np.minimum(at.astype(int), keys - 1 if loop else keys - 2)
    ends = pictures[::between][:keys].astype(np.float64)
    w = (at - low)[:, None, None, None]
    return np.rint((1 - w) * ends[low] + w * ends[(low + 1) % keys]).astype(np.uint8)


def strip(suffix: str, run: Finished, words: bool) -> bytes:
    from core import files

    return files.strip(suffix, run.made, side=SIDE, words=words)


def sheet(suffix: str, run: Finished, words: bool) -> bytes:
    from core import files

    return files.sheet(suffix, run.made, side=SIDE)


VIEW = View("interpolate", layout, jobs, panels)

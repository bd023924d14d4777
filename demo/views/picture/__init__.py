"""Your picture: up to its x_T and down again, how that error falls with S, and the path between two pictures' x_T."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from core.picture_files import framed
from core.request import Request, SamplerSettings
from demo.given import EXAMPLE, examples_of
from demo.jobs import Encoding, Job, labelled
from demo.layout import control, panel, view_column
from demo.scene import Scene, Value
from demo.settings import FRAMES, PageSettings
from demo.view import View
from demo.views.picture.figures import errors_value, gauss
from demo.views.picture.saved import bridge_files, journey_files

if TYPE_CHECKING:
    from core import Engine
    from demo.given import Find, Given
    from demo.host import EngineHost

CURVE = (5, 10, 20, 50, 100)  # S at which the error is measured
OTHERS = 4  # examples with whose x_T the picture's is compared
GONE = "This picture is not kept here any more: drop it again, or take an example."
NONE = "Drop a picture here, or choose one."
NONE_HERE = "This run needs a picture: drop one in Your picture, or choose an example there."


def layout(host: EngineHost) -> None:
    with view_column("picture"):
        with gr.Row(equal_height=True, elem_classes="pair-row"):
            with gr.Column(scale=5, min_width=300, elem_classes="card"):
                panel("given", "picture")
            with gr.Column(scale=7, min_width=320, elem_classes="card"):
                panel("journey")
                with gr.Column(elem_classes="padded"):
                    control("refine")
        with gr.Row(equal_height=True, elem_classes="pair-row"):
            with gr.Column(scale=1, min_width=300, elem_classes="card"):
                panel("gauss")
            with gr.Column(scale=1, min_width=300, elem_classes="card"):
                panel("errors")
        with gr.Row(equal_height=True, elem_classes="pair-row"):
            with gr.Column(scale=5, min_width=300, elem_classes="card"):
                panel("given", "picture_to")
            with gr.Column(scale=7, min_width=320, elem_classes="card"):
                panel("bridge")


def jobs(page: PageSettings) -> list[Job]:
    """There and back, then the path, then the error's curve, which nobody has waited for."""
    settings = SamplerSettings(page.steps, 0.0, page.spacing, clip=False)  # clipping cannot be undone
    one, two = (page.picture, page.crop), (page.picture_to, page.crop_to)
    found = [
        Job("journey", Request((0,), settings), alone=True, encoding=Encoding((one,), page.refine)),
        Job("bridge", Request((0, 1), settings, frames=FRAMES), alone=True, encoding=Encoding((one, two), page.refine)),
    ]
    some = tuple((f"example-{k}", (0.5, 0.5, 1.0)) for k in range(OTHERS))
    others = Request(tuple(range(OTHERS)), settings)
    found.append(Job("others", others, alone=True, encoding=Encoding(some, page.refine)))
    for S in CURVE:
        for refine in (0, page.refine or 1):
            request = Request((0,), replace(settings, steps=S))
            found.append(Job(f"error {S} {refine}", request, alone=True, encoding=Encoding((one,), refine)))
    return found


def fitted(made: list[Job], engine: Engine, find: Find) -> list[Job]:
    """Those whose pictures are there and large enough, cut to this checkpoint's size."""
    out = []
    for job in made:
        encoding = job.encoding
        assert encoding is not None
        if job.request.settings.steps > engine.T or any(why_not(find, engine, name) for name, _ in encoding.sources):
            continue
        size, parts = engine.checkpoint.shape[1], []
        for name, (across, down, zoom) in encoding.sources:
            given = find(name)
            assert given is not None  # or why_not had said so
            parts.append(framed(given.pixels, size, across, down, min(zoom, given.room(size))))
        pixels = np.stack(parts)
        digest = hashlib.sha256(pixels.tobytes()).hexdigest()
        out.append(replace(job, encoding=replace(encoding, pixels=pixels, digest=digest)))
    return out


def why_not(find: Find, engine: Engine, name: str) -> str:
    """Why there is nothing to encode, or ""."""
    channels, height, width = engine.checkpoint.shape
    if height != width or channels not in (1, 3):
        made = f"{channels}×{height}×{width}"
        return f"{engine.checkpoint.name} makes {made}: only square pictures of 1 or 3 channels can be encoded here."
    given = find(name)
    if given is None:
        return NONE if name == "none" or name.startswith(EXAMPLE) else GONE
    if given.room(height) < 1:
        h, w = given.pixels.shape[:2]
        return f"This picture is {w}×{h}, and the network sees {height}×{height}: give a larger one."
    return ""


def run_here(what: str, page: PageSettings, engine: Engine, find: Find) -> Job:
    """The job "journey" or "bridge" with its pictures. Raises ValueError, a sentence, where one is missing."""
    (job,) = (job for job in labelled(jobs(page), page.label, engine) if job.name == what)
    assert job.encoding is not None
    for name, _ in job.encoding.sources:
        reason = why_not(find, engine, name)
        if reason:
            raise ValueError(NONE_HERE if reason == NONE else reason)
    (made,) = fitted([job], engine, find)
    return made


def panels(scene: Scene) -> dict[str, Any]:
    out = {"picture": given_value(scene, "picture"), "picture_to": given_value(scene, "picture_to")}
    there = {job.name for job in scene.jobs}
    for name, files in (("journey", journey_files), ("bridge", bridge_files)):
        if name in there:
            value = scene.of(name) or {"state": "waiting"}
            value |= {"wanted": scene.once(("wanted", name), partial(cut, scene, name))}
            run = scene.finished.get(name)
            out[name] = scene.with_files(value, *(files(scene, run) if run is not None else []))
        else:
            out[name] = {"state": "none"}
    run, others = scene.finished.get("journey"), scene.finished.get("others")
    state = "waiting" if "journey" in there else "none"
    if run is not None:
        out["gauss"] = scene.once(("gauss", id(run), id(others)), lambda: gauss(run, others))
    else:
        out["gauss"] = {"state": state}
    out["errors"] = errors_value(scene)
    return out


def cut(scene: Scene, name: str) -> Any:
    """The pictures of a job as the network sees them."""
    from demo.pictures import tiles_picture

    encoding = next(job.encoding for job in scene.jobs if job.name == name)
    assert encoding is not None
    assert encoding.pixels is not None
    return tiles_picture(encoding.pixels)


def given_value(scene: Scene, name: str) -> Value:
    """What the place for a picture shows: the whole of it, and the part that is taken."""
    engine, picked, crop = scene.engine, getattr(scene.page, name), f"crop{name.removeprefix('picture')}"
    given: Given | None = scene.find(picked)
    size = engine.checkpoint.shape[1]
    each, row = examples_of(scene.host.folder(engine.checkpoint.name), size)
    return {
        "state": "done",
        "setting": name,
        "crop_setting": crop,
        "name": picked,
        "said": why_not(scene.find, engine, picked),
        "source": given.shown if given is not None else None,
        "width": given.pixels.shape[1] if given is not None else 1,
        "height": given.pixels.shape[0] if given is not None else 1,
        "room": given.room(size) if given is not None else 1,
        "crop": list(getattr(scene.page, crop)),
        "examples": row,
        "n": len(each),
    }


VIEW = View("picture", layout, jobs, panels, fitted=fitted)

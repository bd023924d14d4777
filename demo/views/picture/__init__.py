"""Your picture: up to its x_T and down again, how that error falls with S, and the path between two pictures' x_T."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from core.picture_files import framed
from core.request import Request, SamplerSettings
from demo import words
from demo.given import EXAMPLE, examples_of
from demo.jobs import Encoding, Finished, Job, labelled
from demo.layout import control, panel, view_column
from demo.scene import TITLES, File, Scene, Value, film_suffixes
from demo.settings import FRAMES, PageSettings
from demo.view import View

if TYPE_CHECKING:
    from core import Engine
    from demo.given import Find, Given
    from demo.host import EngineHost

CURVE = (5, 10, 20, 50, 100)  # S at which the error is measured
OTHERS = 4  # examples with whose x_T the picture's is compared
SIDE = 84  # pixels, at least, of a picture in a PNG
GONE = "This picture is not kept here any more: drop it again, or take an example."
NONE = "Drop a picture here, or choose one."
NONE_HERE = "Your picture has none for this run: drop one there, or choose an example."


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


def gauss(run: Finished, others: Finished | None) -> Value:
    """How much the picture's x_T looks like a seed's noise. others: held-out examples, taken up in the same way."""
    from core.gaussian import EDGE, gaussianness

    assert run.found is not None
    g = gaussianness(run.found.x_T[0])
    theirs = [] if others is None or others.found is None else [gaussianness(x) for x in others.found.x_T]
    ranges = {
        name: (min(values), max(values))
        for name in ("mean", "std", "neighbours")
        if (values := [getattr(one, name) for one in theirs])
    }
    return {
        "state": "done", "label": f"S = {run.job.request.settings.steps}", "edge": EDGE,
        "figures": [
            [title, f"{getattr(g, name):.3f}", f"noise: {ideal}", words.range_text(ranges.get(name))]
            for name, title, ideal in (("mean", "mean", 0), ("std", "std", 1), ("neighbours", "neighbours", 0))
        ],
        "counts": g.counts.tolist(), "expected": [round(float(e), 2) for e in g.expected],
        "said": words.gaussian_said({name: getattr(g, name) for name in words.IDEAL}, g.n, ranges),
    }  # fmt: skip


def errors_value(scene: Scene) -> Value:
    """The error of the way there and back at each S, plain and refined; the page's own S among them."""
    refined = scene.page.refine or 1
    points: dict[int, list[list[float]]] = {0: [], refined: []}
    wanted = [job for job in scene.jobs if job.name.startswith("error ")]
    for job in wanted:
        run = scene.finished.get(job.name)
        if run is not None and run.found is not None and job.encoding is not None:
            points[job.encoding.refine].append([job.request.settings.steps, run.found.errors[0]])
    own = scene.finished.get("journey")
    if own is not None and own.found is not None:
        points.setdefault(scene.page.refine, []).append([scene.page.steps, own.found.errors[0]])
    done = sum(job.name in scene.finished for job in wanted)
    asked = next((scene.now[job.name]["ask"] for job in wanted if "ask" in scene.now.get(job.name, {})), None)
    state = "none" if not wanted else "done" if done == len(wanted) else "running" if done else "waiting"
    return {
        "state": "asked" if asked else state, "ask": asked, "progress": done / max(1, len(wanted)),
        "lines": [
            {"name": "plain" if refine == 0 else f"{refine} refinement{'s' if refine > 1 else ''} a step",
             "points": sorted({S: [S, error] for S, error in found}.values())}
            for refine, found in sorted(points.items())
        ],
        "S": scene.page.steps,
    }  # fmt: skip


def journey_files(scene: Scene, run: Finished) -> list[File]:
    """The film of both ways, and x_T itself with the notes that decode it."""
    from core import files
    from core.latent_files import notes_text

    found, engine = run.found, scene.engine
    assert found is not None
    assert run.job.encoding is not None
    settings, refine = engine.resolve(run.job.request.settings), run.job.encoding.refine

    def film(suffix: str) -> bytes:
        return files.journey(suffix, run.record, found.film, scene.page.captions)

    def array() -> bytes:
        buffer = io.BytesIO()
        np.save(buffer, found.x_T.numpy())
        return buffer.getvalue()

    def notes() -> bytes:
        return notes_text(found.x_T, engine.checkpoint, settings, refine).encode()

    films = [file(TITLES[suffix], run, "there-and-back", suffix, partial(film, suffix)) for suffix in film_suffixes()]
    latents = [file("x_T as .npy", run, "x_T", ".npy", array), file("its notes", run, "x_T", ".json", notes)]
    return [*films, *latents, seen_file(run, 0)]


def bridge_files(scene: Scene, run: Finished) -> list[File]:
    """The path as the other strips are saved, and its second picture; the first is the journey's."""
    from core import files

    def strip(suffix: str) -> bytes:
        return files.strip(suffix, run.made, side=SIDE, words=scene.page.captions and suffix != ".png")

    suffixes = [*film_suffixes(), ".png"]
    strips = [file(TITLES[suffix], run, "between-pictures", suffix, partial(strip, suffix)) for suffix in suffixes]
    return [*strips, seen_file(run, 1)]


def seen_name(checkpoint: str, k: int) -> str:
    """What the file of a run's picture k is called, here and in the commands of Reproduce."""
    return f"{checkpoint}_picture-{k + 1}.png"


def seen_file(run: Finished, k: int) -> File:
    """The part of picture k that was taken, of the network's own size: what ``core encode`` reads as the page did."""
    from PIL import Image

    def png() -> bytes:
        assert run.job.encoding is not None
        assert run.job.encoding.pixels is not None
        buffer = io.BytesIO()
        Image.fromarray(run.job.encoding.pixels[k]).save(buffer, "PNG")
        return buffer.getvalue()

    return File("as the network sees it", seen_name(run.checkpoint, k), (run,), png)


def file(label: str, run: Finished, what: str, suffix: str, make: Callable[[], bytes]) -> File:
    """Named after its settings and not after seeds, of which it has none."""
    name = f"{run.checkpoint}_picture_S{run.job.request.settings.steps}_{what}{suffix}"
    return File(label, name, (run,), make)


VIEW = View("picture", layout, jobs, panels, fitted=fitted)

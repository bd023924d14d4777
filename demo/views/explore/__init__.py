"""Explore: on opening a recorded race; two trajectories from one x_T, the strip between two seeds, and samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from core.request import Request, SamplerSettings
from demo.jobs import Finished, Job, settings_of
from demo.layout import control, panel, view_column
from demo.scene import TITLES, Scene, film_suffixes, race_files, whole_state
from demo.settings import FRAMES, PageSettings
from demo.view import View

if TYPE_CHECKING:
    from demo.host import EngineHost

SIDE = 84  # pixels, at least, of a picture in a PNG


def layout(host: EngineHost) -> None:
    with view_column("explore"):
        with gr.Column(elem_id="hero-card", elem_classes="card"):  # recorded; until a setting is changed
            panel("race", "hero")
        with gr.Column(elem_id="duel-card", elem_classes="card"):
            panel("duel")
            with gr.Row(elem_id="controls-b"):
                control("steps_b")
                control("eta_b")
        with gr.Row(elem_id="lower", equal_height=True):
            with gr.Column(scale=5, min_width=300, elem_classes="card"):
                panel("strip")
            with gr.Column(scale=7, min_width=320, elem_id="samples-card", elem_classes="card"):
                panel("samples")


def jobs(page: PageSettings) -> list[Job]:
    """In the order of the eye: A, B, then samples and strip, which share their batches."""
    main = settings_of(page)
    return [
        Job("a", Request((page.seed,), main), film=True, answers=True),
        Job("b", Request((page.seed,), SamplerSettings(page.steps_b, page.eta_b, page.spacing)), film=True),
        Job("samples", Request(tuple(range(page.seed, page.seed + page.count)), main)),
        Job("strip", Request((page.seed, page.seed_to), main, frames=FRAMES)),
    ]


def panels(scene: Scene) -> dict[str, Any]:
    a, b = scene.together(["a", "b"])
    duel = {"a": a, "b": b, "state": whole_state([a, b])}
    films = [scene.file(f"GIF of {name.upper()}", name, name, ".gif", trajectory) for name in "ab"]
    suffixes = [*film_suffixes(), ".png"]
    strips = [scene.file(TITLES[suffix], "strip", "strip", suffix, strip) for suffix in suffixes]
    sheet = scene.file("PNG", "samples", "samples", ".png", samples)
    both = race_files(scene, ["a", "b"], " of both", "a-and-b")
    out = {"duel": scene.with_files(duel, *both, *films)}
    for name, files in (("strip", strips), ("samples", [sheet])):
        value = scene.of(name)
        if value is not None:
            out[name] = scene.with_files(value, *files)
    return out


def trajectory(suffix: str, run: Finished, words: bool) -> bytes:
    from core import files

    assert run.film is not None
    return files.trajectory(suffix, run.record, *run.film, words=words)


def strip(suffix: str, run: Finished, words: bool) -> bytes:
    from core import files

    return files.strip(suffix, run.made, side=SIDE, words=words)


def samples(suffix: str, run: Finished, words: bool) -> bytes:
    from core import files

    return files.samples(suffix, run.made, side=SIDE)


VIEW = View("explore", layout, jobs, panels)

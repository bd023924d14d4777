"""Compare: two to four runners from one x_T, each timed alone, and a race between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from core.request import Request, SamplerSettings
from demo.jobs import Finished, Job
from demo.layout import control, panel, view_column
from demo.pictures import tiles_picture
from demo.scene import Scene, race_files, whole_state
from demo.settings import PageSettings
from demo.view import View
from demo.words import setting_label

if TYPE_CHECKING:
    from demo.host import EngineHost


def layout(host: EngineHost) -> None:
    with view_column("compare"), gr.Column(elem_classes="card"):
        panel("race")
        control("lanes")  # in the columns of the pictures
        panel("apart")


def lanes(page: PageSettings) -> list[Job]:
    """In the page's order."""
    settings = [SamplerSettings(lane.steps, lane.eta, lane.spacing) for lane in page.lanes]
    return [Job(f"lane{i}", Request((page.seed,), s), film=True) for i, s in enumerate(settings)]


def jobs(page: PageSettings) -> list[Job]:
    """The fastest first."""
    return sorted(lanes(page), key=lambda job: job.evaluations)


def panels(scene: Scene) -> dict[str, Any]:
    names = [job.name for job in lanes(scene.page)]
    values = scene.together(names)
    here = [scene.finished.get(name) for name in names]
    apart = differences([run for run in here if run], scene) if all(here) else {}
    films = race_files(scene, names, " of the race", "race")
    state = whole_state(values)
    race = scene.with_files({"state": state, "lanes": values}, *films)
    return {"race": race, "apart": {"state": state, **apart}}


def differences(runs: Sequence[Finished], scene: Scene) -> dict[str, Any]:
    """How far the runners' pictures are from the most exact one: η = 0 at S = T where this tab has made it, else the
    deterministic runner with most steps, else the first."""
    order = sorted(runs, key=lambda run: (run.job.request.settings.eta > 0, -run.job.evaluations))
    first = order[0].job
    reference, label = order[0].pixels[0], setting_label(first.evaluations, first.request.settings.eta)
    exact = replace(first.request, settings=replace(first.request.settings, steps=scene.engine.T, eta=0.0))
    known = scene.known(Job(first.name, exact, film=True))
    if known is not None:
        reference, label = known.pixels[0], setting_label(scene.engine.T, 0.0)
    apart = [run.pixels[0].astype(np.float64) - reference for run in runs]
    tiles = np.stack([np.rint(np.clip(128 + d, 0, 255)).astype(np.uint8) for d in apart])
    rms = [round(float(np.sqrt(np.mean(np.square(d))) / 255), 4) for d in apart]
    return {"reference": label, "tiles": tiles_picture(tiles), "rms": rms}


VIEW = View("compare", layout, jobs, panels)

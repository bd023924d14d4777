"""Grid: every S with every η from one x_T, each cell run alone and labelled with its own time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.request import Request, SamplerSettings
from demo import words
from demo.fields import short
from demo.jobs import Finished, Job
from demo.layout import control, panel, view_column
from demo.scene import File, Scene, file_name, of_one_start, whole_state
from demo.settings import PageSettings
from demo.view import View

if TYPE_CHECKING:
    from demo.host import EngineHost


def layout(host: EngineHost) -> None:
    with view_column("grid"):
        with gr.Column(elem_classes="card"):
            panel("grid")
        with gr.Row(elem_classes="card padded numbers-row"):
            control("grid_steps")
            control("grid_etas")


def cell_name(steps: int, eta: float) -> str:
    """η with all its digits: two cells must not share one job."""
    return f"cell {steps} {short(eta)}"


def cells(page: PageSettings) -> list[Job]:
    """Row (η) by row."""
    settings = [SamplerSettings(S, eta, page.spacing) for eta in page.grid_etas for S in page.grid_steps]
    return [Job(cell_name(s.steps, s.eta), Request((page.seed,), s), alone=True) for s in settings]


def jobs(page: PageSettings) -> list[Job]:
    """The fastest first."""
    return sorted(cells(page), key=lambda job: job.evaluations)


def panels(scene: Scene) -> dict[str, Any]:
    page, names = scene.page, [job.name for job in cells(scene.page)]
    # a cell says its S and η and no more, so it may stand here only with this seed, spacing and checkpoint
    values = [scene.of(name) if name in scene.finished or name in scene.now else None for name in names]
    columns = len(page.grid_steps)
    done = sum(value is not None and value["state"] == "done" for value in values)
    state = whole_state(values)
    evaluations = sum(job.evaluations for job in scene.jobs)
    value = {
        "state": "running" if state == "waiting" and done else state,
        "progress": done / len(names),
        "grid": {
            "steps": list(page.grid_steps),
            "etas": list(page.grid_etas),
            "cells": [values[i : i + columns] for i in range(0, len(values), columns)],
        },
        "label": words.grid_plan(len(names), evaluations, scene.estimate_s),
    }
    runs = of_one_start([scene.finished.get(name) for name in names])
    file = None
    if runs is not None:
        name = file_name(runs[0], "grid", settings=False) + ".png"
        file = File("PNG with legend", name, tuple(runs), lambda: grid(".png", runs, page))
    return {"grid": scene.with_files(value, file)}


def grid(suffix: str, runs: Sequence[Finished], page: PageSettings) -> bytes:
    from core import files

    said = words.grid_words(runs[0].checkpoint, [run.record for run in runs], len(page.grid_steps))
    return files.grid(suffix, [run.made for run in runs], page.grid_steps, page.grid_etas, *said)


VIEW = View("grid", layout, jobs, panels)

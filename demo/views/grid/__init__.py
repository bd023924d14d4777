"""Grid: one setting across and another down, each cell run alone and labelled with its own time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.axes import AXES, Axis, cells, value_of
from core.request import Request, SamplerSettings
from demo import words
from demo.jobs import Finished, Job
from demo.layout import control, panel, view_column
from demo.scene import File, Scene, file_name, whole_state
from demo.settings import GRID_LISTS, PageSettings
from demo.view import View

if TYPE_CHECKING:
    from demo.host import EngineHost


def layout(host: EngineHost) -> None:
    with view_column("grid"):
        with gr.Column(elem_classes="card"):
            panel("grid")
        with gr.Row(elem_classes="card padded numbers-row"):
            control("grid_x")
            control("grid_y")
            for name in GRID_LISTS.values():  # those of the two axes are shown (style.css)
                control(name)


def axes(page: PageSettings) -> tuple[Axis, Axis]:
    """(columns, rows)."""
    across, down = (Axis(name, getattr(page, GRID_LISTS[name])) for name in (page.grid_x, page.grid_y))
    return across, down


def base(page: PageSettings) -> Request:
    """What all cells are asked but for the axes. Where η varies the solver is DDIM, and where the solver varies η is 0:
    DPM-Solver++ adds no noise."""
    varied = (page.grid_x, page.grid_y)
    solver = "ddim" if "eta" in varied else page.solver
    return Request((page.seed,), SamplerSettings(page.steps, 0.0 if "solver" in varied else page.eta, page.spacing,
                                                 solver=solver))  # fmt: skip


def cell_jobs(page: PageSettings) -> list[Job]:
    """Row by row, by their places: a tab remembers of each the last result, so there are no more than these."""
    columns, rows = axes(page)
    places = [f"cell {row} {column}" for row in range(len(rows.values)) for column in range(len(columns.values))]
    return [Job(at, asked, alone=True) for at, asked in zip(places, cells(base(page), columns, rows), strict=True)]


def jobs(page: PageSettings) -> list[Job]:
    """The fastest first."""
    return sorted(cell_jobs(page), key=lambda job: job.evaluations)


def panels(scene: Scene) -> dict[str, Any]:
    page, made = scene.page, cell_jobs(scene.page)
    # a cell says what of it varies and no more, so only what belongs to these settings may stand here
    names = [job.name for job in made]
    values = [scene.of(name) if name in scene.finished or name in scene.now else None for name in names]
    columns, rows = axes(page)
    done = sum(value is not None and value["state"] == "done" for value in values)
    state = whole_state(values)
    evaluations = sum(job.evaluations for job in scene.jobs)
    titles = [[words.value_label(axis.name, value) for value in axis.values] for axis in (columns, rows)]
    asked = [{name: value_of(job.request, name) for name in AXES} for job in made]
    n = len(columns.values)
    value = {
        "state": "running" if state == "waiting" and done else state,
        "progress": done / len(names),
        "grid": {
            "title": words.axes_name(columns.name, rows.name),
            "columns": titles[0],
            "rows": titles[1],
            "settings": [asked[i : i + n] for i in range(0, len(asked), n)],
            "cells": [values[i : i + n] for i in range(0, len(values), n)],
        },
        "label": words.grid_plan(
            len(names), evaluations, scene.estimate_s, words.alike(scene.jobs[0].request, columns.name, rows.name)
        ),
    }
    runs = [scene.finished[name] for name in names if name in scene.finished]
    file = None
    if len(runs) == len(names):
        seeds = tuple(dict.fromkeys(job.request.seeds[0] for job in made))
        name = file_name(runs[0], "grid", settings=False, seeds=seeds) + ".png"
        file = File("PNG with legend", name, tuple(runs), lambda: grid(".png", runs, page))
    return {"grid": scene.with_files(value, file)}


def grid(suffix: str, runs: Sequence[Finished], page: PageSettings) -> bytes:
    from core import files

    columns, rows = axes(page)
    said = words.legend(runs[0].checkpoint, runs[0].job.request, [run.record for run in runs], columns, rows)
    return files.grid(suffix, [run.made for run in runs], columns, rows, said)


VIEW = View("grid", layout, jobs, panels)

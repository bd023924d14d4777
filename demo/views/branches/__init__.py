"""Branches: down to some t, and from there several times with fresh noise: what was still open at t."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.branches import Branches
from core.request import Request, SamplerSettings
from demo import words
from demo.jobs import Finished, Job
from demo.layout import control, panel, view_column
from demo.scene import TITLES, File, Scene, Value, file_name, film_suffixes, whole_state
from demo.settings import PageSettings
from demo.view import View

if TYPE_CHECKING:
    from core import Engine
    from demo.given import Find
    from demo.host import EngineHost


def layout(host: EngineHost) -> None:
    with view_column("branches"):
        with gr.Column(elem_classes="card"):
            panel("tree")
        with gr.Row(elem_classes="card padded numbers-row"):
            for setting in ("branch_at", "branch_eta", "branch_count"):
                control(setting)


def jobs(page: PageSettings) -> list[Job]:
    """A row for each t, the noisiest first, each by itself so that its time is its own."""
    trunk = SamplerSettings(page.steps, page.eta, page.spacing)
    return [
        Job(
            f"row {i}",
            Request((page.seed,), trunk, branches=Branches(t, page.branch_count, page.branch_eta)),
            alone=True,
        )
        for i, t in enumerate(sorted(page.branch_at, reverse=True))
    ]


def fitted(made: list[Job], engine: Engine, find: Find) -> list[Job]:
    """Each at the nearest t that its steps come through; of rows that meet there the first."""
    through = [step.t for step in engine.plan(Request(made[0].request.seeds, made[0].request.settings))]
    rows: dict[int, Job] = {}
    for job in made:
        branches = job.request.branches
        assert branches is not None
        t = min(through, key=lambda step: abs(step - branches.at))
        rows.setdefault(t, replace(job, request=replace(job.request, branches=replace(branches, at=t))))
    return list(rows.values())


def panels(scene: Scene) -> dict[str, Any]:
    page = scene.page
    values = [row(scene, job) for job in scene.jobs]
    state = whole_state(values)
    done = [scene.finished[job.name] for job in scene.jobs if job.name in scene.finished]
    value = {
        "state": "running" if state == "waiting" and done else state,
        "progress": sum(value.get("progress", 0.0) for value in values) / len(values),
        "label": words.branches_label(page.steps, page.eta, page.branch_eta, page.seed),
        "said": words.branches_said(page.branch_eta),
        "rows": values,
    }
    return {"tree": scene.with_files(value, *(files_of(done) if len(done) == len(values) else []))}


def row(scene: Scene, job: Job) -> Value:
    """What one row shows: only of these settings, since it says no more than its t."""
    branches = job.request.branches
    assert branches is not None
    there = job.name in scene.finished or job.name in scene.now
    value: Value = (scene.of(job.name) if there else None) or {"state": "waiting"}
    found = scene.finished.get(job.name)
    tree = None if found is None else found.tree
    more = {} if tree is None else {"fork": tree.fork, "apart": round(tree.apart, 4)}
    return {**value, **more, "at": branches.at, "count": branches.count}


def files_of(runs: Sequence[Finished]) -> list[File]:
    """The rows as a picture and as films in which all of them come down together."""
    names = {".png": "PNG", **{suffix: TITLES[suffix] for suffix in film_suffixes()}}
    ordered = sorted(names, key=lambda suffix: suffix != ".gif")

    def file(suffix: str) -> File:
        return File(names[suffix], file_name(runs[0], "branches") + suffix, tuple(runs), lambda: tree(suffix, runs))

    return [file(suffix) for suffix in ordered]


def tree(suffix: str, runs: Sequence[Finished]) -> bytes:
    from core import files
    from core.files.tree import row_of, tree_note

    rows = [row_of(run.job.request, run.pixels, run.tree.apart, run.tree.film) for run in runs if run.tree is not None]
    return files.branches(suffix, [run.made for run in runs], rows, tree_note(runs[0].job.request))


VIEW = View("branches", layout, jobs, panels, fitted=fitted)

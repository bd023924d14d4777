"""What stands where: the sidebar and one function a view. No wiring here (demo/page.py)."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from demo.flow_panel import flow_panel
from demo.learn import EXPERIMENTS, SHAPES, WHAT_IS_DDIM
from demo.panels import (
    lanes_control,
    numbers_control,
    panel,
    pick_control,
    place_control,
    seeds_control,
    steps_control,
)
from demo.settings import (
    COUNTS,
    FRAMES_BETWEEN,
    MAX_GRID_ETAS,
    MAX_GRID_STEPS,
    MAX_KEYS,
    SPACINGS,
    PageSettings,
    as_control,
)

PRESETS = (("Fast 10", 10, 0.0), ("Balanced 20", 20, 0.0), ("Fine 100", 100, 0.0), ("DDPM-like", 200, 1.0))


@dataclass
class View:
    """Its panels by name, its controls by the name of the setting, its download buttons by export kind."""

    panels: dict[str, gr.HTML] = field(default_factory=dict)
    controls: dict[str, Any] = field(default_factory=dict)
    exports: dict[str, gr.Button] = field(default_factory=dict)


@dataclass
class Sidebar:
    """What all views share."""

    controls: dict[str, Any]
    panels: dict[str, gr.HTML]
    presets: list[tuple[gr.Button, int, float]]
    budget: gr.Number
    fit: gr.Button
    fit_said: gr.HTML
    dice: gr.Button
    go_on: gr.Button
    again: gr.Button
    stop: gr.Button
    copy: gr.Button


@dataclass
class Controls:
    """Every control by the name of its setting."""

    by_name: dict[str, Any]

    @classmethod
    def of(cls, side: Sidebar, front: gr.HTML, *views: View) -> Controls:
        found = side.controls | {"view": front}
        for view in views:
            found |= view.controls
        return cls(found)

    def in_order(self) -> list[Any]:
        """In the order of page_settings' arguments."""
        return [self.by_name[name] for name in PageSettings.__dataclass_fields__]

    def __getattr__(self, name: str) -> Any:
        return self.by_name[name]


def exports(labels: dict[str, str]) -> dict[str, gr.Button]:
    """Small download buttons by export kind (see demo/exports.py)."""
    with gr.Row(elem_classes="exports"):
        return {kind: gr.Button(label, size="sm", elem_id=f"get-{kind}") for kind, label in labels.items()}


def sidebar(names: list[str], first: PageSettings, stops: list[int], curve: dict[str, Any] | None) -> Sidebar:
    with gr.Column(scale=0, min_width=290, elem_id="controls"):
        with gr.Column(elem_id="dock"):
            steps = steps_control(first.steps, stops, "Steps S", "steps")
            eta = gr.Slider(0, 1, first.eta, step=0.01, label="η", elem_id="eta")
        with gr.Row(elem_id="presets"):
            presets = [
                (gr.Button(label, size="sm", min_width=60), min(S, stops[-1]), value) for label, S, value in PRESETS
            ]
        curve_panel = panel("curve", curve, "curve")
        with gr.Row():
            seed = gr.Number(first.seed, precision=0, label="Seed", elem_id="seed", min_width=90)
            seed_to = gr.Number(first.seed_to, precision=0, label="to seed", elem_id="seed-to", min_width=90)
        dice = gr.Button("Roll new seeds", elem_id="dice", size="sm")
        checkpoint = gr.Dropdown(names, value=first.checkpoint, label="Checkpoint", elem_id="checkpoint")
        count = gr.Dropdown(list(COUNTS), value=first.count, label="Pictures", elem_id="count")
        spacing = gr.Dropdown(list(SPACINGS), value=first.spacing, label="Step spacing", elem_id="spacing")
        with gr.Row(elem_id="fit-row"):
            budget = gr.Number(2, label="Seconds to spend", elem_id="budget", min_width=90)
            fit = gr.Button("Fit my time", size="sm", elem_id="fit", min_width=90)
        fit_said = gr.HTML("", elem_id="fit-said")
        go_on = gr.Button("Go on", visible=False, elem_id="go-on")
        with gr.Row():
            again = gr.Button("Run again", elem_id="again", size="sm", min_width=80)
            stop = gr.Button("Stop", elem_id="stop", size="sm", variant="stop", min_width=80)
        copy = gr.Button("Copy link", elem_id="copy-link", size="sm")
    controls = {"checkpoint": checkpoint, "steps": steps, "eta": eta, "seed": seed, "count": count,
                "seed_to": seed_to, "spacing": spacing}  # fmt: skip
    return Sidebar(controls, {"curve": curve_panel}, presets, budget, fit, fit_said, dice, go_on, again, stop, copy)


def view_column(name: str) -> gr.Column:
    """A view's place on the page; the tabs show one of them (demo/panels.py, views_control)."""
    return gr.Column(elem_id=f"view-{name}", elem_classes="view")


def explore_view(first: PageSettings, stops: list[int], shown: dict[str, Any]) -> View:
    """Samples above; the interpolation strip and the trajectory players side by side below."""
    view = View()
    with view_column("explore"):
        with gr.Column(elem_id="samples-card", elem_classes="card"):
            view.panels["samples"] = panel("samples", shown.get("samples"), "samples")
            view.exports |= exports({"samples-png": "PNG"})
        with gr.Row(elem_id="lower", equal_height=True):
            with gr.Column(scale=5, min_width=300, elem_id="strip-card", elem_classes="card"):
                view.panels["strip"] = panel("strip", shown.get("strip"), "strip")
                view.exports |= exports({"strip-gif": "GIF", "strip-webp": "WebP", "strip-png": "PNG"})
            with gr.Column(scale=7, min_width=320, elem_id="duel-card", elem_classes="card"):
                view.panels["duel"] = panel("duel", shown.get("duel"), "duel")
                with gr.Row(elem_id="controls-b"):
                    view.controls["steps_b"] = steps_control(first.steps_b, stops, "Steps of B", "steps-b")
                    view.controls["eta_b"] = gr.Slider(0, 1, first.eta_b, step=0.01, label="η of B", elem_id="eta-b")
                view.exports |= exports({"a-gif": "GIF of A", "b-gif": "GIF of B"})
    return view


def compare_view(first: PageSettings, stops: list[int], shown: dict[str, Any]) -> View:
    """Two to four runners from one x_T, and a race between them."""
    view = View()
    with view_column("compare"):
        with gr.Column(elem_classes="card"):
            view.panels["race"] = panel("race", shown.get("race"), "race")
            view.exports |= exports({"race-gif": "GIF of the race"})
        with gr.Column(elem_classes="card padded"):
            view.controls["lanes"] = lanes_control(as_control(first.lanes), stops, SPACINGS, "lanes")
    return view


def interpolate_view(first: PageSettings, shown: dict[str, Any]) -> View:
    """A path through key seeds beside its pixel cross-fade, and a sheet between four seeds."""
    view = View()
    with view_column("interpolate"), gr.Row(equal_height=True, elem_classes="pair-row"):
        with gr.Column(scale=1, min_width=320, elem_classes="card"):
            view.panels["path"] = panel("path", shown.get("path"), "path")
            with gr.Column(elem_classes="padded"):
                view.controls["keys"] = seeds_control(as_control(first.keys), 2, MAX_KEYS, "keys")
                with gr.Row():
                    view.controls["between"] = gr.Dropdown(
                        list(FRAMES_BETWEEN),
                        value=first.between,
                        label="Pictures from key to key",
                        elem_id="between",
                    )
                    with gr.Column(min_width=150):
                        view.controls["loop"] = gr.Checkbox(first.loop, label="Close the loop", elem_id="loop")
                        view.controls["own_noise"] = gr.Checkbox(
                            first.own_noise, label="Own noise for each picture (η > 0)", elem_id="own-noise"
                        )
            view.exports |= exports({"path-gif": "GIF", "path-webp": "WebP"})
        with gr.Column(scale=1, min_width=320, elem_classes="card"):
            view.panels["square"] = panel("square", shown.get("square"), "square")
            with gr.Column(elem_classes="padded"):
                corners = ("Top left", "Top right", "Bottom left", "Bottom right")
                view.controls["corners"] = seeds_control(as_control(first.corners), 4, 4, "corners", corners)
                view.controls["place"] = place_control(as_control(first.place), "place")
            view.exports |= exports({"sheet-png": "PNG of the sheet"})
    return view


@dataclass
class GridView(View):
    """pick: the cell that was clicked."""

    pick: Any = None


def grid_view(first: PageSettings, stops: list[int]) -> GridView:
    """A matrix of S × η from one x_T, every cell run alone and labelled with its own time."""
    view = GridView()
    with view_column("grid"):
        with gr.Column(elem_classes="card"):
            view.panels["grid"] = panel("grid", None, "grid")
            view.exports |= exports({"grid-png": "PNG with legend"})
        with gr.Row(elem_classes="card padded numbers-row"):
            view.controls["grid_steps"] = numbers_control(
                as_control(first.grid_steps), 1, stops[-1], MAX_GRID_STEPS, "Steps S, across", "grid-steps", whole=True
            )
            view.controls["grid_etas"] = numbers_control(
                as_control(first.grid_etas), 0, 1, MAX_GRID_ETAS, "η, down", "grid-etas"
            )
        view.pick = pick_control("pick", "pick")
    return view


@dataclass
class LearnView(View):
    """shape: which distribution the 2-D panel flows to. experiments: a button each, by key."""

    shape: Any = None
    experiments: dict[str, gr.Button] = field(default_factory=dict)


def learn_view() -> LearnView:
    """The idea in words and equations, the exact 2-D flow, and five experiments of one click each."""
    view = LearnView()
    with view_column("learn"):
        with gr.Row(equal_height=False, elem_classes="pair-row"):
            with gr.Column(scale=7, min_width=320, elem_classes="card"):
                view.panels["flow"] = flow_panel(None, "flow")
                with gr.Column(elem_classes="padded"):
                    shapes = [(name, key) for key, name in SHAPES.items()]
                    view.shape = gr.Dropdown(shapes, value="ring", label="Distribution", elem_id="shape")
            with gr.Column(scale=5, min_width=300, elem_classes="card padded", elem_id="what-card"):
                gr.HTML(WHAT_IS_DDIM, elem_id="what")
        with gr.Column(elem_classes="card padded", elem_id="experiments"):
            gr.HTML("<h2>Five experiments</h2>", elem_classes="heading")
            for one in EXPERIMENTS:
                with gr.Row(elem_classes="experiment"):
                    gr.HTML(f"<h3>{html.escape(one.title)}</h3><p>{html.escape(one.look)}</p>")
                    view.experiments[one.key] = gr.Button("Try it", size="sm", elem_id=f"try-{one.key}", scale=0)
    return view

"""The Trade-off view: its panel, the file it reads, and its wiring."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo.handlers import Handlers
from demo.layout import view_column
from demo.panels import encoded, panel, pick_control

ABOUT = (
    "<p>Each point is a Fréchet distance between samples and training pictures, in the 64 features of a small net of "
    "our own: lower is better, and it is not FID. The number of pictures is small, so compare points with each other "
    "and with the floor, not with published figures. The bars are one bootstrap deviation; a click on a point sets "
    "the sliders. The tables are in docs/results.md.</p>"
)


@dataclass
class TradeoffView:
    """pick: the point that was clicked."""

    plot: gr.HTML
    pick: gr.HTML


def tradeoff_view() -> TradeoffView:
    with view_column("tradeoff"), gr.Column(elem_classes="card"):
        plot = panel("tradeoff", None, "tradeoff")
        gr.HTML(ABOUT, elem_id="tradeoff-about", elem_classes="plain")
        pick = pick_control("pick-point", "pickPoint")
    return TradeoffView(plot, pick)


def stored(handlers: Handlers, name: str) -> tuple[dict[str, Any] | None, str]:
    """(the evaluation beside a checkpoint, or None, why there is none)."""
    from core import DDIMError
    from core.evaluate.store import read_document

    folder = handlers.host.root / name
    path = folder / "evaluation.json"
    remedy = f"python -m core evaluate {folder.name} measures it."
    if not path.is_file():
        return None, f"{name} has not been evaluated: {remedy}"
    try:
        document = read_document(path)
        if document["checkpoint"]["sha256"] != handlers.host.engine(name).checkpoint.sha256:
            return None, f"The evaluation of {name} belongs to other weights: {remedy}"
    except DDIMError as error:
        return None, str(error)
    return document, ""


def plot_of(handlers: Handlers, values: tuple[Any, ...]) -> Any:
    """The panel at these settings; it runs nothing, but loads the model to know its weights and its speed."""
    from demo.tradeoff import tradeoff_value  # torch comes with it

    try:
        page = handlers.settings(values)
    except ValueError:
        return gr.skip()  # the status line says it already
    document, why = stored(handlers, page.checkpoint)
    ms = handlers.host.expected_ms(page.checkpoint, page.count)
    return encoded(tradeoff_value(document, why, page, ms))


def wire_tradeoff(
    view: TradeoffView,
    handlers: Handlers,
    controls: list[Any],
    in_front: Any,
    sliders: list[Any],
    quiet: dict[str, Any],
) -> None:
    """in_front: the control that says which view is. sliders: those of S and η."""
    at = controls.index(in_front)

    def plot(*values: Any) -> Any:
        return plot_of(handlers, values) if values[at] == "tradeoff" else gr.skip()

    gr.on([control.change for control in controls], plot, inputs=controls, outputs=view.plot,
          trigger_mode="always_last", **quiet)  # fmt: skip

    def pick(picked: str) -> tuple[Any, Any]:
        try:
            steps, eta, _ = json.loads(picked)
        except (TypeError, ValueError):
            return gr.skip(), gr.skip()
        return steps, eta

    view.pick.change(pick, inputs=view.pick, outputs=sliders, **quiet)

"""The Trade-off view: what stands in it, and its wiring."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo.layout import View, view_column
from demo.panels import panel, pick_control

ABOUT = (
    "<p>Each point is a Fréchet distance between samples and training pictures, in the 64 features of a small net of "
    "our own: lower is better, and it is not FID. The number of pictures is small, so compare points with each other "
    "and with the floor, not with published figures. The bars are one bootstrap deviation; a click on a point sets "
    "the sliders. The tables are in docs/results.md.</p>"
)


@dataclass
class TradeoffView(View):
    """pick: the point that was clicked."""

    pick: Any = None


def tradeoff_view() -> TradeoffView:
    with view_column("tradeoff"), gr.Column(elem_classes="card"):
        plot = panel("tradeoff", None, "tradeoff")
        gr.HTML(ABOUT, elem_id="tradeoff-about", elem_classes="plain")
        pick = pick_control("pick-point", "pickPoint")
    return TradeoffView(panels={"tradeoff": plot}, pick=pick)


def wire_tradeoff(view: TradeoffView, sliders: list[Any], quiet: dict[str, Any]) -> None:
    """A click on a point sets the sliders of S and η; the rest follows from their change."""

    def pick(picked: str) -> tuple[Any, Any]:
        try:
            steps, eta, _ = json.loads(picked)
        except (TypeError, ValueError):
            return gr.skip(), gr.skip()
        return steps, eta

    view.pick.change(pick, inputs=view.pick, outputs=sliders, **quiet)

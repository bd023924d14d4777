"""Trade-off: the stored evaluation of a checkpoint, quality against time on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from demo.layout import panel, plain, view_column
from demo.scene import Scene
from demo.view import View

if TYPE_CHECKING:
    from demo.host import EngineHost

ABOUT = (
    "<p>Each point is a Fréchet distance between samples and training pictures, in the 64 features of a small net of "
    "our own: lower is better, and it is not FID. The number of pictures is small, so compare points with each other "
    "and with the floor, not with published figures. The bars are one bootstrap deviation; a click on a point sets "
    "the sliders. The tables are in docs/results.md.</p>"
)


def layout(host: EngineHost) -> None:
    with view_column("tradeoff"), gr.Column(elem_classes="card"):
        panel("tradeoff")
        plain(ABOUT, "tradeoff-about")


def panels(scene: Scene) -> dict[str, Any]:
    from demo.views.tradeoff.plot import tradeoff_panel

    return {"tradeoff": tradeoff_panel(scene.host, scene.engine, scene.page)}


VIEW = View("tradeoff", layout, panels=panels, timed=True)

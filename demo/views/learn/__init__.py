"""Learn: the idea in words and equations, the exact 2-D flow, and the stops of the tour one by one."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import gradio as gr

from demo.layout import control, panel, plain, view_column
from demo.settings import PageSettings
from demo.tour import TOUR, Stop
from demo.view import View
from demo.views.learn.texts import WHAT_IS_DDIM

if TYPE_CHECKING:
    from demo.host import EngineHost


def layout(host: EngineHost) -> None:
    with view_column("learn"):
        with gr.Row(equal_height=False, elem_classes="pair-row"):
            with gr.Column(scale=7, min_width=320, elem_classes="card"):
                panel("flow")
                with gr.Column(elem_classes="padded"):
                    control("shape")
            with gr.Column(scale=5, min_width=300, elem_classes="card padded", elem_id="what-card"):
                plain(WHAT_IS_DDIM, "what")
        with gr.Column(elem_classes="card padded"):
            plain("<h2>Experiments</h2>" + "".join(map(row, TOUR)), "experiments")


def row(one: Stop) -> str:
    """A stop of the tour: its title, what to look at, and its button."""
    button = (
        f'<button type="button" class="btn" id="try-{one.key}" data-do="stop_at" data-key="{one.key}">Try it</button>'
    )
    about = f"<h3>{html.escape(one.title)}</h3><p>{html.escape(one.look)}</p>"
    return f'<div class="experiment"><div>{about}</div>{button}</div>'


def early(page: PageSettings) -> dict[str, Any]:
    from demo.views.learn.flow import flow_value

    return {"flow": flow_value(page)}


VIEW = View("learn", layout, early=early)

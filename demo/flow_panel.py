"""The 2-D panel of the Learn view: a thin shell whose drawing is in static/flow.js and theme/flow.css."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from demo.panels import encoded

FLOW_SCRIPT = (Path(__file__).parent / "static" / "flow.js").read_text(encoding="utf-8")
FLOW_CSS = (Path(__file__).parent / "theme" / "flow.css").read_text(encoding="utf-8")


def flow_panel(value: dict[str, Any] | None, elem_id: str) -> gr.HTML:
    """Particle paths; value is demo.learn.flow_value's, later ones are sent as ``encoded(value)``."""
    return gr.HTML(
        value=encoded(value) if value else None,
        html_template='<section class="panel" data-kind="flow"></section>',
        js_on_load="window.ddim.flow(element, props, watch);",
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes=["ddim-panel"],
    )

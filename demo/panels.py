"""The custom components of the page: thin shells whose drawing is in static/panels.js."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr

SCRIPT = (Path(__file__).parent / "static" / "panels.js").read_text(encoding="utf-8")


def encoded(value: dict[str, Any]) -> str:
    """A panel value as the text the browser gets. Text, because Gradio streams changes of an object into
    the object that is already there, and a watcher does not hear of that."""
    return json.dumps(value, separators=(",", ":"))


def panel(kind: str, value: dict[str, Any] | None, elem_id: str) -> gr.HTML:
    """A picture panel: kind is "samples", "strip" or "duel"; value is what static/panels.js draws."""
    return gr.HTML(
        value=encoded(value) if value else None,
        html_template=f'<section class="panel" data-kind="{kind}"></section>',
        js_on_load=f"window.ddim.panel('{kind}', element, props, watch);",
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes=["ddim-panel"],
    )


def steps_control(value: int, stops: list[int], label: str, elem_id: str) -> gr.HTML:
    """A logarithmic slider and an exact number box, in step; its value is S."""
    return gr.HTML(
        value=value,
        html_template='<div class="steps"></div>',
        js_on_load="window.ddim.steps(element, props, trigger, watch); /* 'change' */",
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes=["ddim-steps"],
        stops=stops,
        caption=label,
    )

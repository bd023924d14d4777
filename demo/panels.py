"""The custom components of the page: thin shells whose drawing is in static/*.js."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

STATIC = Path(__file__).parent / "static"
# stream before anything is asked for; panels before those that use its kit
SCRIPTS = ("stream", "panels", "controls", "race", "interpolate", "grid", "tradeoff", "curve", "keyboard", "copy")
SCRIPT = "\n".join((STATIC / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)


def encoded(value: dict[str, Any]) -> str:
    """A panel value as the text the browser gets. Text, because Gradio streams changes of an object into
    the object that is already there, and a watcher does not hear of that."""
    return json.dumps(value, separators=(",", ":"))


def shell(name: str, **config: Any) -> str:
    """The markup of a control, with its fixed settings inside: props may be late when it is drawn again."""
    return f"<div class=\"{name}\" data-config='{html.escape(json.dumps(config))}'></div>"


def panel(kind: str, value: dict[str, Any] | None, elem_id: str) -> gr.HTML:
    """A picture panel: kind is one of window.ddim.kinds; value is what static/*.js draws."""
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
        html_template=shell("steps", stops=stops, caption=label),
        js_on_load="window.ddim.steps(element, props, watch);",
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes=["ddim-steps"],
    )


def lanes_control(value: str, stops: list[int], spacings: Sequence[str], elem_id: str) -> gr.HTML:
    """The runners of a race; its value is JSON text, a list of {steps, eta, spacing}."""
    return gr.HTML(
        value=value,
        html_template=shell("list", stops=stops, spacings=list(spacings)),
        js_on_load="window.ddim.lanes(element, props, watch);",
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes=["ddim-list"],
    )


def seeds_control(value: str, low: int, high: int, elem_id: str, names: Sequence[str] | None = None) -> gr.HTML:
    """low to high seeds in a row; its value is JSON text, a list of numbers."""
    return gr.HTML(
        value=value,
        html_template=shell("list", low=low, high=high, names=list(names) if names else None),
        js_on_load="window.ddim.seeds(element, props, watch);",
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes=["ddim-list"],
    )


def numbers_control(
    value: str, low: float, high: float, most: int, label: str, elem_id: str, whole: bool = False
) -> gr.HTML:
    """One to ``most`` numbers from low to high in one box; its value is JSON text, a rising list."""
    return gr.HTML(
        value=value,
        html_template=shell("numbers", caption=label, low=low, high=high, most=most, whole=whole),
        js_on_load="window.ddim.numbers(element, props, watch);",
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes=["ddim-list"],
    )


def pick_control(elem_id: str, name: str) -> gr.HTML:
    """The (S, η) that was chosen last with window.ddim[name]; its value is JSON text, [S, η, how many were chosen]."""
    return gr.HTML(
        value="",
        html_template='<div class="place"></div>',
        js_on_load=f"window.ddim.pickControl(element, props, '{name}');",
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes=["unseen"],
    )


def place_control(value: str, elem_id: str) -> gr.HTML:
    """Where on the sheet; its value is JSON text, [across, down]. The sheet's panel moves it."""
    return gr.HTML(
        value=value,
        html_template='<div class="place"></div>',
        js_on_load="window.ddim.placeControl(element, props);",
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes=["unseen"],
    )


def views_control(value: str, names: dict[str, str], elem_id: str) -> gr.HTML:
    """Tabs of our own: every view is in the page from the start, a link can open any, a phone shows them all.
    Its value is the key of the view in front, whose column has the id view-KEY."""
    return gr.HTML(
        value=value,
        html_template=shell("views", names=names),
        js_on_load="window.ddim.views(element, props, watch);",
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes=["ddim-views"],
    )

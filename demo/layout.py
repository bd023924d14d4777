"""What stands where: places for the controls and panels that the browser draws (demo/static), and the sidebar."""

from __future__ import annotations

import html
import json

import gradio as gr


def mounted(markup: str, what: str, elem_id: str, classes: str = "plain") -> gr.HTML:
    """Markup that window.ddim.mountWHAT takes over once Gradio has drawn it."""
    return gr.HTML(
        html_template=markup,
        js_on_load=f"window.ddim.mount{what}(element);",
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes=[classes],
        min_width=90,
    )


def panel(kind: str, name: str | None = None) -> gr.HTML:
    """A panel. kind: of window.ddim.kinds, which draws it; name: what messages call it, the kind's where not given."""
    name = name or kind
    return mounted(
        f'<section class="panel" data-kind="{kind}" data-panel="{name}"></section>', "Panel", name, "ddim-panel"
    )


def control(setting: str) -> gr.HTML:
    """The control of a setting, as demo.settings.FIELDS says what it is."""
    place = f'<div class="control" data-setting="{setting}"></div>'
    return mounted(place, "Control", setting.replace("_", "-"), "ddim-control")


def button(label: str, elem_id: str, does: str, *, quiet: bool = True) -> str:
    """A button that does one of window.ddim.actions."""
    kind = "btn" if quiet else "btn primary"
    return f'<button type="button" class="{kind}" id="{elem_id}" data-do="{does}">{html.escape(label)}</button>'


def setting_button(label: str, settings: dict[str, object], elem_id: str = "", said: str = "") -> str:
    """A button that sets settings. said: what to look at then."""
    data = html.escape(json.dumps({"settings": settings, "said": said}))
    name = f' id="{elem_id}"' if elem_id else ""
    return f'<button type="button" class="btn"{name} data-set="{data}">{html.escape(label)}</button>'


def plain(markup: str, elem_id: str | None = None, classes: str = "plain") -> gr.HTML:
    """Markup as it is."""
    return gr.HTML(markup, elem_id=elem_id, elem_classes=classes)


def view_column(name: str) -> gr.Column:
    """A view's place on the page; the tabs show one of them (static/controls.js)."""
    return gr.Column(elem_id=f"view-{name}", elem_classes="view")


OPEN = (
    '<form><label for="open-name">Open another checkpoint</label><div class="open"><input id="open-name" type="text" '
    'maxlength="300" autocomplete="off" spellcheck="false" placeholder="folder, or owner/name of the hub">'
    '<button type="submit" class="btn">Open</button></div><p role="status"></p></form>'
)


def sidebar(opens: bool) -> None:
    """What all views share. opens: whether visitors may open checkpoints."""
    with gr.Column(scale=0, min_width=290, elem_id="controls"):
        with gr.Column(elem_id="dock"):
            control("steps")
            control("eta")
            plain(button("Start", "dock-start", "start") + button("Cancel", "dock-cancel", "cancel"), "dock-ask",
                  "plain buttons")  # fmt: skip
            plain(f'<div class="run"><i></i></div>{button("Stop", "dock-stop", "stop")}', "dock-run", "plain")
        mounted('<div class="prose"></div>', "Presets", "presets", "plain")
        panel("curve")
        with gr.Row(elem_classes="pair-of"):
            control("seed")
            control("seed_to")
        plain(button("Roll new seeds", "dice", "roll"), classes="plain buttons")
        control("checkpoint")
        control("label")  # of checkpoints that have classes
        if opens:
            mounted(OPEN, "Open", "open-checkpoint", "plain")
        control("count")
        plain(button("Run again", "again", "again") + button("Stop", "stop", "stop"), classes="plain buttons")
        plain(button("Copy link", "copy-link", "copy"), classes="plain buttons")
        plain(
            '<button type="button" class="btn" id="advanced-toggle" data-do="advanced" aria-expanded="false" '
            'aria-controls="advanced">Advanced</button>',
            classes="plain buttons",
        )
        with gr.Column(elem_id="advanced"):
            with gr.Row(elem_classes="pair-of"):
                control("spacing")
                control("solver")
            fit = button("Fit my time", "fit", "fit")
            plain(
                '<label for="budget">Seconds to spend</label><div class="fit">'
                f'<input id="budget" type="number" min="0.01" step="any" value="2">{fit}</div>'
                '<div id="fit-said" role="alert"></div>',
                "fit-row",
            )
            control("captions")

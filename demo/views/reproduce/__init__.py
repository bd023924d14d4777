"""Reproduce: the page's runs as commands and code, and the settings inside an exported picture."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from demo.failures import failure
from demo.layout import control, panel, plain, view_column
from demo.scene import Scene
from demo.view import View

if TYPE_CHECKING:
    from demo.host import EngineHost

HERE = (
    "<h2>Repeat what is here</h2><p>The same pictures from a shell or a script: bit-equal on this machine, with the "
    "same precision, backend and number of threads.</p>"
)
FILE = (
    "<h2>Take up an exported picture</h2><p>Every GIF, WebP, MP4 and PNG of a run carries its settings. They are "
    "shown first; nothing changes until you load them.</p>"
)
SHOWN = "(path, _) => [path, window.ddim.settings.checkpoint]"  # the settings live in the browser


def layout(host: EngineHost) -> None:
    with view_column("reproduce"), gr.Row(equal_height=False, elem_classes="pair-row"):
        with gr.Column(scale=1, min_width=320, elem_classes="card padded repeat"):
            plain(HERE, classes="heading")
            control("what")
            panel("code")
        with gr.Column(scale=1, min_width=320, elem_classes="card padded repeat"):
            plain(FILE, classes="heading")
            file = gr.File(
                label="A picture exported here",
                file_types=[".gif", ".webp", ".mp4", ".png", ".jpg", ".jpeg"],
                height=132,
                elem_id="drop",
            )
            found = plain("", "found")
        wire(host, file, found)


def wire(host: EngineHost, file: gr.File, found: gr.HTML) -> None:
    """What a dropped file says is read by Gradio's own upload."""
    shown = gr.Textbox(visible=False)
    file.change(lambda path, name: "" if path is None else read_file(host, path, name), inputs=[file, shown],
                outputs=found, js=SHOWN, show_progress="hidden", api_visibility="private")  # fmt: skip


def panels(scene: Scene) -> dict[str, Any]:
    from demo.views.reproduce.code import code_panel

    return {"code": {"state": "done", "html": code_panel(scene.host, scene.engine, scene.page, scene.find)}}


def read_file(host: EngineHost, path: str, shown: str) -> str:
    """What a file says, the settings that load it and how to repeat it, as markup. shown: the checkpoint to take where
    the file's is not here."""
    from core.record import read_record, recorded
    from demo.views.reproduce.code import code_html
    from demo.views.reproduce.found import found_html, read
    from demo.views.reproduce.found_controls import Here

    try:
        record = read_record(path)
        name = repeating(host, recorded(record).runs[0], shown)
        engine, folder = host.engine(name), host.folder_text(name)
        found = read(record, host.compute.call(lambda: Here.of(engine, folder)))  # not amid a run's step
    except Exception as error:  # a ValueError says what is wrong with the file
        said = str(error) if isinstance(error, ValueError) else failure(error).sentence
        return f'<p role="alert">{html.escape(host.told(said))}</p>'
    load = ""
    if found.controls:
        said = f"Settings loaded|From {Path(path).name}. The run starts anew with them."
        data = html.escape(json.dumps({"settings": found.controls, "said": said}))
        load = (
            f'<button type="button" class="btn primary" id="load-found" data-set="{data}">Load these settings</button>'
        )
    return f'{found_html(found)}{load}<div id="repeat-found">{code_html(found.code)}</div>'


def repeating(host: EngineHost, record: Mapping[str, Any], shown: str) -> str:
    """The checkpoint with the weights of a run's record, if loaded; else that of its name, else the one shown."""
    made = record.get("checkpoint", {})
    for name in host.names():
        if host.loaded(name) and host.engine(name).checkpoint.sha256 == made.get("sha256"):
            return name
    if made.get("name") in host.names():
        return str(made["name"])
    return shown if shown in host.names() else host.names()[0]


VIEW = View("reproduce", layout, panels=panels)

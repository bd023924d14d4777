"""The Reproduce view: the page's runs as commands and code, and the settings inside an exported picture."""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from demo.handlers import Handlers
from demo.layout import view_column

WHAT = {
    "samples": "Samples", "strip": "Strip", "a": "Player A", "b": "Player B",
    "lane0": "Runner A", "lane1": "Runner B", "lane2": "Runner C", "lane3": "Runner D",
    "path": "Path", "place": "Place on the sheet", "sheet": "Sheet",
}  # fmt: skip
LOADED = "<details open><summary>Settings loaded</summary><p>From {}. The run starts anew with them.</p></details>"
Start = Callable[[Mapping[str, Any], str, gr.Request, tuple[Any, ...]], Iterator[dict[Any, Any]]]


@dataclass
class ReproduceView:
    """what: which run is written out, into code. file: the drop field; found: what it holds. load: sets the page
    to it; new: the settings it would set. repeat: the commands that give it again."""

    what: gr.Dropdown
    code: gr.HTML
    file: gr.File
    found: gr.HTML
    load: gr.Button
    repeat: gr.HTML
    new: gr.State


def reproduce_view() -> ReproduceView:
    with view_column("reproduce"), gr.Row(equal_height=False, elem_classes="pair-row"):
        with gr.Column(scale=1, min_width=320, elem_classes="card padded repeat"):
            gr.HTML(
                "<h2>Repeat what is here</h2><p>The same pictures from a shell or a script: bit-equal on this machine, "
                "with the same precision and number of threads.</p>",
                elem_classes="heading",
            )
            choices = [(name, key) for key, name in WHAT.items()]
            what = gr.Dropdown(choices, value="samples", label="Run", elem_id="what-run")
            code = gr.HTML("", elem_id="code", elem_classes="plain")
        with gr.Column(scale=1, min_width=320, elem_classes="card padded repeat"):
            gr.HTML(
                "<h2>Take up an exported picture</h2><p>Every GIF, WebP and PNG from here carries its settings. "
                "They are shown first; nothing changes until you load them.</p>",
                elem_classes="heading",
            )
            file = gr.File(
                label="A picture exported here", file_types=[".gif", ".webp", ".png"], height=132, elem_id="drop"
            )
            found = gr.HTML("", elem_id="found", elem_classes="plain")
            load = gr.Button("Load these settings", visible=False, elem_id="load-found", size="sm")
            repeat = gr.HTML("", elem_id="repeat-found", elem_classes="plain")
    return ReproduceView(what, code, file, found, load, repeat, gr.State({}))


def folder_text(root: Path, name: str) -> str:
    """How a command line names a checkpoint: from the working folder where it lies in there."""
    path = root / name
    return os.path.relpath(path) if path.resolve().is_relative_to(Path.cwd()) else str(path)


def error_html(error: Exception) -> str:
    return f'<p role="alert">{html.escape(str(error))}</p>'


def code_of(handlers: Handlers, what: str, values: tuple[Any, ...]) -> str:
    """The run ``what`` of these settings, written out; or why there is none."""
    from core import DDIMError
    from demo.found_controls import Here
    from demo.reproduce import code, code_html, request_here

    try:
        page = handlers.settings(values)
        here = Here.of(handlers.host.engine(page.checkpoint), folder_text(handlers.host.root, page.checkpoint))
        return code_html(code(request_here(what, page), here.folder, here.device, here.precision, f"{what}.png"))
    except (ValueError, DDIMError) as error:
        return error_html(error)


def read_file(handlers: Handlers, path: str, shown: str) -> tuple[str, dict[str, Any], str]:
    """(what the file says, the settings that load it, how to repeat it). shown: the checkpoint to take where the
    file's is not here."""
    from core import DDIMError
    from core.record import read_record
    from demo.found import found_html, read
    from demo.found_controls import Here
    from demo.reproduce import code_html

    try:
        record = read_record(path)
        name = repeating(handlers, record, shown)
        found = read(record, Here.of(handlers.host.engine(name), folder_text(handlers.host.root, name)))
    except (ValueError, DDIMError) as error:
        return error_html(error), {}, ""
    return found_html(found), found.controls or {}, code_html(found.code)


def repeating(handlers: Handlers, record: Mapping[str, Any], shown: str) -> str:
    """The checkpoint of the record's name, else the one with its weights, else the one shown."""
    made, names = record.get("checkpoint"), handlers.host.names()
    made = made if isinstance(made, dict) else {}
    if made.get("name") in names:
        return str(made["name"])
    same = (name for name in names if handlers.host.engine(name).checkpoint.sha256 == made.get("sha256"))
    return next(same, shown)


def wire_reproduce(
    view: ReproduceView, handlers: Handlers, controls: list[Any], in_front: Any, start: Start,
    model: dict[str, Any], quiet: dict[str, Any],
) -> None:  # fmt: skip
    """in_front: the control that says which view is. start: sets controls and runs (demo/page.py). model: how
    events that run the model are declared; quiet: how all others are."""
    at, first = controls.index(in_front), 0

    def write(what: str, *values: Any) -> Any:
        return code_of(handlers, what, values) if values[at] == "reproduce" else gr.skip()

    gr.on([view.what.change, in_front.change, *(c.change for c in controls if c is not in_front)], write,
          inputs=[view.what, *controls], outputs=view.code, trigger_mode="always_last", **quiet)  # fmt: skip

    def look(path: str | None, *values: Any) -> tuple[Any, Any, Any, Any]:
        if path is None:
            return "", {}, gr.update(visible=False), ""
        said, new, code = read_file(handlers, path, str(values[first]))
        return said, new, gr.update(visible=bool(new)), code

    shown = [view.found, view.new, view.load, view.repeat]
    view.file.change(look, inputs=[view.file, *controls], outputs=shown, **quiet)

    def load(request: gr.Request, path: str | None, new: dict[str, Any], *values: Any) -> Iterator[dict[Any, Any]]:
        yield from start(new, LOADED.format(html.escape(Path(path or "a picture").name)), request, values)

    view.load.click(load, trigger_mode="once", **{**model, **quiet, "inputs": [view.file, view.new, *controls]})

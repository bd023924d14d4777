"""The Reproduce view: the page's runs as commands and code, and the settings inside an exported picture."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from demo.handlers import Handlers
from demo.layout import View, view_column
from demo.settings import WHAT

LOADED = "<details open><summary>Settings loaded</summary><p>From {}. The run starts anew with them.</p></details>"
Start = Callable[[Mapping[str, Any], str, gr.Request, tuple[Any, ...]], Iterator[dict[Any, Any]]]


@dataclass
class ReproduceView(View):
    """file: the drop field; found: what it holds. load: sets the page to it; new: the settings it would set.
    repeat: the commands that give it again."""

    file: Any = None
    found: Any = None
    load: Any = None
    repeat: Any = None
    new: Any = None


def reproduce_view() -> ReproduceView:
    with view_column("reproduce"), gr.Row(equal_height=False, elem_classes="pair-row"):
        with gr.Column(scale=1, min_width=320, elem_classes="card padded repeat"):
            gr.HTML(
                "<h2>Repeat what is here</h2><p>The same pictures from a shell or a script: bit-equal on this machine, "
                "with the same precision, backend and number of threads.</p>",
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
    parts: dict[str, Any] = {"file": file, "found": found, "load": load, "repeat": repeat, "new": gr.State({})}
    return ReproduceView(panels={"code": code}, controls={"what": what}, **parts)


def error_html(error: Exception) -> str:
    return f'<p role="alert">{html.escape(str(error))}</p>'


def read_file(handlers: Handlers, path: str, shown: str) -> tuple[str, dict[str, Any], str]:
    """(what the file says, the settings that load it, how to repeat it). shown: the checkpoint to take where the
    file's is not here."""
    from core import DDIMError
    from core.record import read_record, recorded
    from demo.found import found_html, read
    from demo.found_controls import Here
    from demo.reproduce import code_html

    try:
        record = read_record(path)
        name = repeating(handlers, recorded(record).runs[0], shown)
        engine, folder = handlers.host.engine(name), handlers.host.folder_text(name)
        found = read(record, handlers.host.compute.call(lambda: Here.of(engine, folder)))  # not amid a glance's threads
    except (ValueError, DDIMError) as error:
        return error_html(error), {}, ""
    return found_html(found), found.controls or {}, code_html(found.code)


def repeating(handlers: Handlers, record: Mapping[str, Any], shown: str) -> str:
    """The checkpoint with the weights of a run's record, if loaded; else that of its name, else the one shown."""
    host, made = handlers.host, record.get("checkpoint", {})
    for name in host.names():
        if host.loaded(name) and host.engine(name).checkpoint.sha256 == made.get("sha256"):
            return name
    return str(made["name"]) if made.get("name") in host.names() else shown


def wire_reproduce(
    view: ReproduceView, handlers: Handlers, controls: list[Any], start: Start,
    model: dict[str, Any], quiet: dict[str, Any],
) -> None:  # fmt: skip
    """start: sets controls and runs (demo/page.py). model: how events that run the model are declared; quiet: how
    all others are. The code follows the controls through the page's own run (demo/view_run.py): a second event on
    the same controls would set off the first again, and so on for ever."""

    def look(path: str | None, shown_name: str) -> tuple[Any, Any, Any, Any]:
        if path is None:
            return "", {}, gr.update(visible=False), ""
        said, new, code = read_file(handlers, path, shown_name)
        return said, new, gr.update(visible=bool(new)), code

    shown = [view.found, view.new, view.load, view.repeat]
    view.file.change(look, inputs=[view.file, controls[0]], outputs=shown, **quiet)

    def load(request: gr.Request, path: str | None, new: dict[str, Any], *values: Any) -> Iterator[dict[Any, Any]]:
        yield from start(new, LOADED.format(html.escape(Path(path or "a picture").name)), request, values)

    view.load.click(load, trigger_mode="once", **{**model, **quiet, "inputs": [view.file, view.new, *controls]})

"""The page itself: controls on the left, results on the right, and the wiring between them."""

from __future__ import annotations

import html
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from demo.handlers import Handlers, Update
from demo.host import EngineHost
from demo.panels import SCRIPT, encoded, panel, steps_control
from demo.settings import COUNTS, PageSettings, log_stops
from demo.theme import CSS, theme

RECORDED = Path(__file__).parent / "recorded"
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def launch_options() -> dict[str, Any]:
    """theme, css and script belong to launch() in Gradio 6."""
    return {"theme": theme(), "css": CSS, "head": f"<script>{SCRIPT}</script>"}


def recorded(name: str) -> dict[str, Any]:
    """Panel values of a run recorded earlier with this checkpoint, or empty panels."""
    path = RECORDED / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def status_html(state: str, sentence: str) -> str:
    return f'<p role="status" data-state="{state}">{html.escape(sentence)}</p>'


def export_buttons(labels: dict[str, str]) -> dict[str, gr.Button]:
    """Small download buttons by export kind (see demo/exports.py)."""
    return {kind: gr.Button(label, size="sm", elem_id=f"get-{kind}") for kind, label in labels.items()}


def build_page(host: EngineHost) -> gr.Blocks:
    """The whole interface. Nothing here needs torch; engines are asked for when a run starts."""
    handlers, names = Handlers(host), host.names()
    first = PageSettings(checkpoint=names[0])
    stops, shown = log_stops(host.training_steps(first.checkpoint)), recorded(first.checkpoint)

    with gr.Blocks(title="DDIM explorer", analytics_enabled=False, delete_cache=(3600, 6 * 3600)) as page:
        gr.HTML(
            "<h1>DDIM explorer</h1><p>Drag the steps and η. The same network, the same noise: "
            "fewer steps, less chance, and a path through latent space.</p>",
            elem_id="masthead",
        )
        status = gr.HTML(status_html("loading", "A recorded run, while the model loads."), elem_id="status")
        with gr.Row(elem_id="layout", equal_height=False):
            with gr.Column(scale=0, min_width=290, elem_id="controls"):
                checkpoint = gr.Dropdown(names, value=first.checkpoint, label="Checkpoint", elem_id="checkpoint")
                steps = steps_control(first.steps, stops, "Steps S", "steps")
                eta = gr.Slider(0, 1, first.eta, step=0.01, label="η", elem_id="eta")
                with gr.Row():
                    seed = gr.Number(first.seed, precision=0, label="Seed",
                                     elem_id="seed", min_width=90)  # fmt: skip
                    seed_to = gr.Number(first.seed_to, precision=0, label="to seed",
                                        elem_id="seed-to", min_width=90)  # fmt: skip
                dice = gr.Button("Roll new seeds", elem_id="dice", size="sm")
                count = gr.Dropdown(list(COUNTS), value=first.count, label="Pictures", elem_id="count")
                spacing = gr.Dropdown(["leading", "trailing", "linspace", "quadratic"], value=first.spacing,
                                      label="Step spacing", elem_id="spacing")  # fmt: skip
                go_on = gr.Button("Go on", visible=False, elem_id="go-on")
                with gr.Row():
                    again = gr.Button("Run again", elem_id="again", size="sm", min_width=80)
                    stop = gr.Button("Stop", elem_id="stop", size="sm", variant="stop", min_width=80)
            with gr.Column(scale=1, min_width=320, elem_id="results"):
                with gr.Column(elem_id="samples-card"):
                    samples = panel("samples", shown.get("samples"), "samples")
                    with gr.Row(elem_classes="exports"):
                        buttons = export_buttons({"samples-png": "PNG"})
                with gr.Row(elem_id="lower", equal_height=True):
                    with gr.Column(scale=5, min_width=300, elem_id="strip-card"):
                        strip = panel("strip", shown.get("strip"), "strip")
                        with gr.Row(elem_classes="exports"):
                            buttons |= export_buttons({"strip-gif": "GIF", "strip-webp": "WebP", "strip-png": "PNG"})
                    with gr.Column(scale=7, min_width=320, elem_id="duel-card"):
                        duel = panel("duel", shown.get("duel"), "duel")
                        with gr.Row(elem_id="controls-b"):
                            steps_b = steps_control(first.steps_b, stops, "Steps of B", "steps-b")
                            eta_b = gr.Slider(0, 1, first.eta_b, step=0.01, label="η of B", elem_id="eta-b")
                        with gr.Row(elem_classes="exports"):
                            buttons |= export_buttons({"a-gif": "GIF of A", "b-gif": "GIF of B"})
        file = gr.DownloadButton("Download the file", elem_id="file")

        controls: list[Any] = [checkpoint, steps, eta, seed, count, seed_to, spacing, steps_b, eta_b]
        outputs = [status, samples, strip, duel, go_on]

        def render(updates: Iterator[Update]) -> Iterator[dict[Any, Any]]:
            places = {"samples": samples, "strip": strip, "duel": duel}
            said: tuple[str, str] | None = None
            asked: bool | None = None
            for update in updates:  # only what changed is sent: each component costs the browser a layout
                out: dict[Any, Any] = {places[name]: encoded(value) for name, value in update.panels.items()}
                if update.status != said:
                    said = update.status
                    out[status] = status_html(*said)
                if update.ask != asked:
                    asked = update.ask
                    out[go_on] = gr.update(visible=asked)
                yield out

        async def want(request: gr.Request, *values: Any) -> None:  # on the event loop: in order of arrival
            handlers.want(str(request.session_hash), values)

        def run(request: gr.Request, *values: Any) -> Iterator[dict[Any, Any]]:
            yield from render(handlers.run(str(request.session_hash), values))

        def run_anew(request: gr.Request, *values: Any) -> Iterator[dict[Any, Any]]:
            yield from render(handlers.run_anew(str(request.session_hash), values))

        def run_whole(request: gr.Request, *values: Any) -> Iterator[dict[Any, Any]]:
            yield from render(handlers.run(str(request.session_hash), values, go_on=True))

        def halt(request: gr.Request) -> None:
            handlers.sessions.stop(str(request.session_hash))

        def forget(request: gr.Request) -> None:
            handlers.forget(str(request.session_hash))

        def roll() -> tuple[int, int]:
            return random.randrange(10_000), random.randrange(10_000)

        changes = [c.change for c in controls]
        model: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1, "inputs": controls,
                                 "outputs": outputs, **QUIET}  # fmt: skip
        gr.on(changes, want, inputs=controls, queue=False, trigger_mode="multiple", **QUIET)
        gr.on(changes, run, trigger_mode="always_last", **model)
        again.click(run_anew, trigger_mode="once", **model)
        # The first run is what the page was opened for, so it is never asked about; any control ends it.
        gr.on([page.load, go_on.click], run_whole, trigger_mode="once", **model)
        stop.click(halt, queue=False, **QUIET)
        dice.click(roll, outputs=[seed, seed_to], queue=False, **QUIET)
        page.unload(forget)

        for kind, button in buttons.items():

            def export(request: gr.Request, kind: str = kind) -> tuple[Any, Any]:
                try:
                    return handlers.export(str(request.session_hash), kind), gr.skip()
                except ValueError as error:
                    return None, status_html("error", str(error))

            button.click(export, outputs=[file, status], concurrency_id="export", **QUIET).then(
                None, js="() => { const a = document.querySelector('#file a[href]') || document.querySelector('#file');"
                " if (a) a.click(); }", api_visibility="private",
            )  # fmt: skip
    return page

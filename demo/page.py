"""The page itself: controls on the left, the views in tabs on the right, and the wiring between them."""

from __future__ import annotations

import asyncio
import html
import json
import math
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from demo.api import add_endpoints
from demo.compute import ClosingError
from demo.flow_panel import FLOW_CSS, FLOW_SCRIPT
from demo.handlers import Handlers
from demo.host import EngineHost
from demo.layout import Controls, compare_view, explore_view, grid_view, interpolate_view, learn_view, sidebar
from demo.learn import EXPERIMENTS, Experiment, flow_value
from demo.links import NAMES, from_query, to_query
from demo.panels import SCRIPT, encoded, views_control
from demo.reproduce_view import reproduce_view, wire_reproduce
from demo.settings import PageSettings, as_control, cut_to, log_stops
from demo.theme import CSS, theme
from demo.tradeoff_view import tradeoff_view, wire_tradeoff
from demo.turns import MAX_WAITING
from demo.update import Update

VIEWS = {
    "explore": "Explore", "compare": "Compare", "interpolate": "Interpolate", "grid": "Grid",
    "tradeoff": "Trade-off", "reproduce": "Reproduce", "learn": "Learn",
}  # fmt: skip
RECORDED = Path(__file__).parent / "recorded"
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
COPY = """(query) => { const link = location.origin + location.pathname + query;
  history.replaceState(null, "", query);
  navigator.clipboard?.writeText(link).catch(() => 0);
  const said = document.querySelector("#status p");
  if (said) said.textContent = "The link is in the address bar and copied."; }"""
GLANCED = ("duel", "square")  # the panels that answer a change before the run has begun
CUT = ("steps", "steps_b", "lanes", "grid_steps")  # the controls that hold numbers of steps
ASK_ON_OPENING_S = 60.0  # a tab is opened to be seen working, and any control ends its run


def launch_options() -> dict[str, Any]:
    """theme, css and script belong to launch() in Gradio 6."""
    return {
        "theme": theme(),
        "css": CSS + FLOW_CSS,
        "head": f"<script>{SCRIPT}</script><script>{FLOW_SCRIPT}</script>",
    }


def recorded(name: str) -> dict[str, Any]:
    """Panel values of a run recorded earlier with this checkpoint, or empty panels."""
    path = RECORDED / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def status_html(state: str, sentence: str) -> str:
    return f'<p role="status" data-state="{state}">{html.escape(sentence)}</p>'


def build_page(host: EngineHost, handlers: Handlers | None = None) -> gr.Blocks:
    """The whole interface. Nothing here needs torch; engines are asked for when a run starts.

    handlers: what answers the controls and the API; made for ``host`` where none is given.
    """
    handlers, names = handlers or Handlers(host), host.names()
    first = PageSettings(checkpoint=names[0]).within(host.training_steps(names[0]))
    # up to the largest T, so that every checkpoint's own steps are in reach
    stops, shown = log_stops(max(map(host.training_steps, names))), recorded(first.checkpoint)

    with gr.Blocks(title="DDIM explorer", analytics_enabled=False, delete_cache=(3600, 6 * 3600)) as page:
        gr.HTML(
            "<h1>DDIM explorer</h1><p>The same network, the same noise: fewer steps, less chance, "
            "and a path through latent space.</p>",
            elem_id="masthead",
        )
        status = gr.HTML(status_html("loading", "A recorded run, while the model loads."), elem_id="status")
        with gr.Row(elem_id="layout", equal_height=False):
            side = sidebar(names, first, stops, shown.get("curve"))
            with gr.Column(scale=1, min_width=320, elem_id="results"):
                guide = gr.HTML("", elem_id="guide")
                view = views_control(first.view, VIEWS, "views")
                explore = explore_view(first, stops, shown)
                compare = compare_view(first, stops, shown)
                interpolate = interpolate_view(first, shown)
                grid = grid_view(first, stops)
                tradeoff = tradeoff_view()
                reproduce = reproduce_view()
                learn = learn_view()
        file = gr.DownloadButton("Download the file", elem_id="file")
        address = gr.State("")

        every = Controls.of(side, view, explore, compare, interpolate, grid, reproduce)
        controls = every.in_order()
        places = explore.panels | compare.panels | interpolate.panels | grid.panels | tradeoff.panels
        places |= reproduce.panels | {"curve": side.panels["curve"]}
        outputs = [status, side.go_on, learn.panels["flow"], *places.values()]

        def render(key: str, updates: Iterator[Update]) -> Iterator[dict[Any, Any]]:
            sent = handlers.sessions.get(key).sent
            said: tuple[str, str] | None = None
            asked: bool | None = None
            for update in updates:  # only what changed is sent: a film is a megabyte, and each panel costs a layout
                out: dict[Any, Any] = {}
                for name, value in update.panels.items():
                    text = value if isinstance(value, str) else encoded(value)
                    if sent.get(name) != hash(text):
                        sent[name] = hash(text)
                        out[places[name]] = text
                if update.status != said:
                    said = update.status
                    out[status] = status_html(*said)
                if update.ask != asked:
                    asked = update.ask
                    out[side.go_on] = gr.update(visible=asked)
                if out:
                    yield out
            if said is None:
                yield {status: gr.skip()}  # a generator that yields nothing would blank every panel

        def cut(values: tuple[Any, ...]) -> dict[str, Any]:
            """The controls that ask for more steps than their checkpoint has, by name, and what to set them to."""
            known = values[0] in names
            return cut_to(host.training_steps(values[0]), dict(zip(NAMES, values, strict=True))) if known else {}

        def with_new(new: Mapping[str, Any], values: tuple[Any, ...]) -> tuple[dict[str, Any], tuple[Any, ...]]:
            """(the controls to set by name: new, and those that must be cut for it; the values of all of them then)."""
            together = dict(zip(NAMES, values, strict=True)) | dict(new)
            fewer = cut(tuple(together.values()))
            return {**new, **fewer}, tuple((together | fewer).values())

        async def want(request: gr.Request, *values: Any) -> list[Any]:
            key = str(request.session_hash)
            handlers.want(key, values)  # on the event loop: in order of arrival
            seen = await asyncio.to_thread(handlers.glance, key, values)
            texts = {name: encoded(seen[name]) for name in GLANCED if name in seen}
            handlers.sessions.get(key).sent.update({name: hash(text) for name, text in texts.items()})
            fewer = cut(values)
            return [texts.get(name, gr.skip()) for name in GLANCED] + [fewer.get(name, gr.skip()) for name in CUT]

        def flow(shape: str, *values: Any) -> Any:
            """The 2-D panel at these settings; it needs no model and no turn."""
            try:
                settings = handlers.settings(values)
                return encoded(host.compute.call(lambda: flow_value(settings, shape)))
            except (ValueError, ClosingError):
                return gr.skip()  # the status line says it already

        def flow_if_seen(shape: str, values: tuple[Any, ...]) -> Iterator[dict[Any, Any]]:
            if values[NAMES.index("view")] == "learn":
                yield {learn.panels["flow"]: flow(shape, *values)}

        # One event with always_last for what follows the controls: docs/decisions/0012-tabs-and-changes.md
        def run(request: gr.Request, shape: str, *values: Any) -> Iterator[dict[Any, Any]]:
            key = str(request.session_hash)
            yield from flow_if_seen(shape, values)
            yield from render(key, handlers.run(key, values))

        def run_view(request: gr.Request, shape: str, *values: Any) -> Iterator[dict[Any, Any]]:
            key = str(request.session_hash)
            yield from flow_if_seen(shape, values)
            yield from render(key, handlers.run(key, values, ask_above_s=ASK_ON_OPENING_S))

        def run_anew(request: gr.Request, *values: Any) -> Iterator[dict[Any, Any]]:
            key = str(request.session_hash)
            yield from render(key, handlers.run_anew(key, values))

        def run_whole(request: gr.Request, *values: Any) -> Iterator[dict[Any, Any]]:
            key = str(request.session_hash)
            yield from render(key, handlers.go_on(key, values))

        def halt(request: gr.Request) -> None:
            handlers.sessions.stop(str(request.session_hash))

        def forget(request: gr.Request) -> None:
            handlers.forget(str(request.session_hash))

        def fit(budget_s: float, *values: Any) -> tuple[Any, Any]:
            try:
                return handlers.fit_steps(values, budget_s), ""
            except ValueError as error:  # beside the field: a run that is going speaks in the status line
                return gr.skip(), f'<p role="alert">{html.escape(str(error))}</p>'

        def roll() -> tuple[int, int]:
            return random.randrange(10_000), random.randrange(10_000)

        # Turns (demo/turns.py) let one run at a time; here all may wait, so that each is told its place.
        model: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": MAX_WAITING, "inputs": controls,
                                 "outputs": outputs, **QUIET}  # fmt: skip
        changes = [control.change for control in controls if control is not view]
        answered = [places[name] for name in GLANCED] + [every.by_name[name] for name in CUT]
        gr.on([*changes, view.change], want, inputs=controls, outputs=answered,
              queue=False, trigger_mode="multiple", **QUIET)  # fmt: skip
        followed = {**model, "inputs": [learn.shape, *controls]}
        gr.on(changes, run, trigger_mode="always_last", **followed)
        view.change(run_view, trigger_mode="always_last", **followed)
        side.again.click(run_anew, trigger_mode="once", **model)
        # The first run is what the page was opened for, so it is never asked about; any control ends it.
        gr.on(side.go_on.click, run_whole, trigger_mode="once", **model)

        def restore(request: gr.Request, shape: str, *values: Any) -> Iterator[dict[Any, Any]]:
            """Open with the state that the address carries, and run."""
            found, said = from_query(dict(request.query_params), names, host.training_steps)
            new = {name: as_control(v) if isinstance(v, tuple) else v for name, v in found.items()}
            new, values = with_new(new, values)
            key = str(request.session_hash)
            handlers.want(key, values)
            out: dict[Any, Any] = {every.by_name[name]: value for name, value in new.items()}
            if said:
                words = html.escape("; ".join(said) + ".")
                out[guide] = f"<details open><summary>The link was adjusted</summary><p>{words}</p></details>"
            yield out or {status: gr.skip()}
            yield from flow_if_seen(shape, values)
            yield from render(key, handlers.run(key, values, ask_above_s=math.inf))

        def link(*values: Any) -> tuple[Any, Any]:
            try:
                return "?" + to_query(handlers.settings(values)), gr.skip()
            except ValueError as error:
                return gr.skip(), status_html("error", str(error))

        side.copy.click(link, inputs=controls, outputs=[address, status], queue=False, **QUIET).then(
            None, inputs=address, js=COPY, api_visibility="private"
        )
        side.stop.click(halt, queue=False, **QUIET)
        side.dice.click(roll, outputs=[every.seed, every.seed_to], queue=False, **QUIET)
        side.fit.click(fit, inputs=[side.budget, *controls], outputs=[every.steps, side.fit_said], queue=False, **QUIET)
        for button, steps, eta in side.presets:
            button.click(lambda s=steps, e=eta: (s, e), outputs=[every.steps, every.eta], queue=False, **QUIET)
        page.unload(forget)
        gr.on(learn.shape.change, flow, inputs=[learn.shape, *controls], outputs=learn.panels["flow"],
              trigger_mode="always_last", **QUIET)  # fmt: skip

        def set_and_run(
            new: Mapping[str, Any], said: str, request: gr.Request, values: tuple[Any, ...]
        ) -> Iterator[dict[Any, Any]]:
            """Set controls, among them the view, say what to look at, and run."""
            new, values = with_new(new, values)
            key = str(request.session_hash)
            handlers.want(key, values)
            yield {guide: said, **{every.by_name[name]: value for name, value in new.items()}}
            yield from render(key, handlers.run(key, values, ask_above_s=ASK_ON_OPENING_S))

        def try_it(one: Experiment, request: gr.Request, values: tuple[Any, ...]) -> Iterator[dict[Any, Any]]:
            said = f"<details open><summary>{one.title}</summary><p>{html.escape(one.look)}</p></details>"
            yield from set_and_run(one.controls(), said, request, values)

        def open_cell(request: gr.Request, picked: str, *values: Any) -> Iterator[dict[Any, Any]]:
            """A cell of the grid becomes player A, the samples and the strip of Explore."""
            try:
                steps, eta, _ = json.loads(picked)
            except (TypeError, ValueError):
                yield {status: gr.skip()}
                return
            yield from set_and_run({"steps": steps, "eta": eta, "view": "explore"}, "", request, values)

        into = [guide, *controls, *outputs]
        grid.pick.change(open_cell, trigger_mode="always_last",
                         **{**model, "inputs": [grid.pick, *controls], "outputs": into})  # fmt: skip
        wire_tradeoff(tradeoff, [every.steps, every.eta], QUIET)
        wire_reproduce(reproduce, handlers, controls, set_and_run, {**model, "outputs": into}, QUIET)
        page.load(restore, trigger_mode="once", **{**followed, "outputs": into})
        for one in EXPERIMENTS:

            def start(request: gr.Request, *values: Any, one: Experiment = one) -> Iterator[dict[Any, Any]]:
                yield from try_it(one, request, values)

            learn.experiments[one.key].click(start, trigger_mode="once", **{**model, "outputs": into})

        for kind, button in (explore.exports | compare.exports | interpolate.exports | grid.exports).items():

            def export(request: gr.Request, kind: str = kind) -> tuple[Any, Any]:
                try:
                    return handlers.export(str(request.session_hash), kind), gr.skip()
                except ValueError as error:
                    return None, status_html("error", str(error))

            button.click(export, outputs=[file, status], concurrency_id="export", **QUIET).then(
                None, js="() => { const a = document.querySelector('#file a[href]') || document.querySelector('#file');"
                " if (a) a.click(); }", api_visibility="private",
            )  # fmt: skip
        add_endpoints(handlers)
    return page

"""The page: controls on the left, the views in tabs on the right. Gradio lays it out, serves it, takes uploads and
answers the API; what moves goes through the live session (demo/live.py, static/live.js)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from demo.api import add_endpoints
from demo.calls import Calls
from demo.early_head import EarlyHead
from demo.headers import Headers, failed
from demo.host import EngineHost
from demo.layout import button, control, mounted, plain, sidebar
from demo.lengths import of_lengths
from demo.live import Live
from demo.login import Login
from demo.routes import MAX_PICTURE, routes
from demo.settings import FIELDS, GRID_LISTS, first_settings
from demo.theme import CSS, theme
from demo.tour import MINUTE, TOUR
from demo.upkeep import lifespan
from demo.views import VIEWS

STATIC, RECORDED = Path(__file__).parent / "static", Path(__file__).parent / "recorded"
QUEUE_WAKE_S = 0.05
MAX_UPLOAD = 16 << 20  # bytes; the longest film that the page makes can be dropped on it again
# the kit and the session before who uses them
SCRIPTS = ("calm", "kit", "early", "live", "controls", "checkpoints", "actions", "history", "tour", "curve", "keyboard")


def recorded(name: str) -> dict[str, Any]:
    """Panel values of a run recorded earlier with this checkpoint, or none."""
    path = RECORDED / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def known(host: EngineHost) -> dict[str, Any]:
    """What the browser knows before it asks: the settings, their kinds, and a run to look at meanwhile."""
    names = host.names()
    first = first_settings(names[0], host.training_steps(names[0]))
    return {
        "fields": {
            name: {**field.kind.spec(), "label": field.label, "hint": field.hint} for name, field in FIELDS.items()
        },
        "settings": first.as_json(),
        "checkpoints": {name: host.training_steps(name) for name in names},
        **of_lengths(map(host.training_steps, names)),
        "axes": GRID_LISTS,
        "most_upload": MAX_PICTURE,
        "opening": recorded(names[0]),
        "tour": {"stops": [stop.as_json() for stop in TOUR], "minute": MINUTE},
    }


def script(host: EngineHost) -> str:
    """All of the page's own JavaScript, and what it knows."""
    parts = [(STATIC / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    data = json.dumps(known(host), separators=(",", ":")).replace("<", "\\u003c")  # no end of the script inside it
    return "\n".join([f"window.ddim = {{ known: {data} }};", *parts, *(view.script() for view in VIEWS)])


def in_front() -> str:
    """The style that shows the view whose tab is chosen, at first the first."""
    chosen = ", ".join(f"[data-view={view.name}] #view-{view.name}" for view in VIEWS)
    return f":root:not([data-view]) #view-{VIEWS[0].name}, {chosen} {{ display: flex !important; }}"


def launch_options(host: EngineHost) -> dict[str, Any]:
    """What launch() takes in Gradio 6, for this page: its theme, styles and script, and how much may be uploaded."""
    styles = "\n".join([CSS, in_front(), *(view.style() for view in VIEWS)])
    return {"theme": theme(), "css": styles, "head": f"<script>{script(host)}</script>", "max_file_size": MAX_UPLOAD}


def app_options(live: Live) -> dict[str, Any]:
    """app_kwargs of launch() or of gr.mount_gradio_app(): the addresses of the live session, headers, the login where
    there is one, the script at once, and what goes on in the background."""
    middleware = [Middleware(Headers), Middleware(Login), Middleware(Calls), Middleware(EarlyHead)]
    answers = {"routes": routes(live), "middleware": middleware, "exception_handlers": {Exception: failed}}
    return {**answers, "lifespan": lifespan(live)}


def build_page(host: EngineHost, queue_size: int = 64) -> gr.Blocks:
    """The whole interface. Nothing here needs torch; engines are asked for when a run starts.

    queue_size: calls of the API that may wait.
    """
    with gr.Blocks(title="DDIM explorer", analytics_enabled=False, delete_cache=(3600, 6 * 3600)) as page:
        plain(
            "<h1>DDIM explorer</h1><p>The same network, the same noise: fewer steps, less chance, "
            "and a path through latent space.</p>"
            f'<div class="start">{button("New here? One minute", "start-tour", "tour")}'
            f"{button('Keys', 'show-keys', 'keys')}</div>",
            "masthead",
        )
        shown = (RECORDED / f"{host.names()[0]}.json").is_file()
        meanwhile = "A recorded run, while the model loads." if shown else "Loading the model."
        mounted(f'<p role="status" data-state="loading">{meanwhile}</p>', "Status", "status")
        with gr.Row(elem_id="layout", equal_height=False):
            sidebar(host.allowed is not None)
            with gr.Column(scale=1, min_width=320, elem_id="results"):
                mounted('<div class="words"></div>', "Guide", "guide")
                control("view")
                for view in VIEWS:
                    view.layout(host)
                mounted('<nav class="history" aria-label="Last runs" hidden><h2>Last runs</h2><ul></ul></nav>',
                        "History", "history")  # fmt: skip
        add_endpoints(host)
    page.queue(default_concurrency_limit=4, max_size=queue_size)
    page._queue.sleep_when_free = QUEUE_WAKE_S  # Gradio looks a thousand times a second whether a call is there
    page._queue.ANAYLTICS_CACHE_FREQUENCY = sys.maxsize  # and makes a table of its last 10,000 calls after each
    return page

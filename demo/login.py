"""Nothing is answered before the login, where there is one: not a route of ours, not a file, not a word of the page.

Gradio checks its cookie in those of its routes that say so. Ours are beside them, and its own login page carries the
whole API with the checkpoints' names; so the check stands before all of them, and what is open is listed.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

PAGE = Path(__file__).parent / "static" / "login.html"
OPEN = {"/login", "/gradio_api/startup-events"}  # the second is what launch() asks itself, without a cookie
REFUSED = "Log in first: open the page, or give auth=(user, password) to gradio_client."


class Login:
    """Middleware of Gradio's app. Without auth= in launch() or gr.mount_gradio_app() everything passes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or within(scope) in OPEN or await known(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope)(scope, receive, send)


def within(scope: Scope) -> str:
    """The path below the prefix at which the app is mounted, without a slash at its end."""
    path, root = scope["path"], scope.get("root_path", "")
    return (path[len(root) :] if root and path.startswith(f"{root}/") else path).rstrip("/")


async def known(scope: Scope) -> bool:
    """Whether this is somebody whom Gradio knows, or nobody needs to be known."""
    app: Any = scope["app"]
    if app.auth_dependency is not None:
        user = app.auth_dependency(Request(scope))
        return (await user if inspect.isawaitable(user) else user) is not None
    if app.auth is None:
        return True
    cookies = Request({**scope, "type": "http"}).cookies
    names = f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}"
    return any(cookies.get(name) in app.tokens for name in names)


def refusal(scope: Scope) -> Response:
    """The login page where a browser opens the page, else a sentence."""
    headers = {"Cache-Control": "no-store"}
    if within(scope) == "" and scope["method"] in ("GET", "HEAD") and scope["app"].auth is not None:
        return HTMLResponse(PAGE.read_text(encoding="utf-8"), 401, headers)
    return JSONResponse({"error": REFUSED}, 401, headers)

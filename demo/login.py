"""Nothing is answered before the login, where there is one: not a route of ours, not a file, not a word of the page.

Gradio checks its cookie in those of its routes that say so. Ours are beside them, and its own login page carries the
whole API with the checkpoints' names; so the check stands before all of them, and what is open is listed. How often a
password may be tried is bounded here, too.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.bodies import MAX_BODY, replayed, small_body
from demo.guesses import KNOWN_S, Guesses
from demo.refused import Refused

PAGE = Path(__file__).parent / "static" / "login.html"
OPEN = {"/login", "/gradio_api/startup-events"}  # the second is what launch() asks itself, without a cookie
MARK = "ddim-known"  # the cookie of a browser that has logged in before
REFUSED = "Log in first: open the page, or give auth=(user, password) to gradio_client."


class Login:
    """Middleware of Gradio's app. Without auth= in launch() or gr.mount_gradio_app() everything passes."""

    def __init__(self, app: ASGIApp, guesses: Guesses | None = None) -> None:
        self.app, self.guesses = app, guesses or Guesses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and within(scope) == "/login" and scope["app"].auth:
            await self._try(scope, receive, send)
        elif scope["type"] == "lifespan" or within(scope) in OPEN or await known(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope)(scope, receive, send)

    async def _try(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A user and a password, unless they come too early."""
        body = await small_body(receive)
        if body is None:
            await Refused(413, f"A login has at most {MAX_BODY} bytes.").response()(scope, receive, send)
            return
        address = scope["client"][0] if scope.get("client") else ""
        who = self.guesses.of(address, Request(scope).cookies.get(MARK))
        if wait_s := self.guesses.wait_s(who):
            await too_early(wait_s).response()(scope, receive, send)
            return
        self.guesses.tried(who)
        wait_s = self.guesses.wait_s(who)
        held = False  # Gradio's own word for a wrong one, where there is more to say

        async def noted(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and message["status"] == 200:
                self.guesses.right(who)
                cookie = f"{MARK}={self.guesses.mark()}; Path=/; Max-Age={KNOWN_S}; HttpOnly; SameSite=Lax"
                MutableHeaders(scope=message).append("set-cookie", cookie)
            elif message["type"] == "http.response.start":
                held = wait_s > 0 and message["status"] < 500
            if not held:
                await send(message)

        await self.app(scope, replayed(body, receive), noted)
        if held:
            await too_early(wait_s).response()(scope, receive, send)


def too_early(wait_s: int) -> Refused:
    seconds = "a second" if wait_s == 1 else f"{wait_s} seconds"
    return Refused(429, f"Too many passwords were wrong: try again in {seconds}.", wait_s)


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

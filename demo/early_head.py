"""The page's own script runs as soon as its HTML is there.

Gradio (6.31) keeps what launch() gets as ``head`` among its settings, and its modules put it in place once they have
come: half a second on the same machine, seconds over a network. A line in the HTML puts it there at once.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MARK = b"<script>window.gradio_api_info = "  # the settings stand before it
LINE = (
    b"<script>document.head.append(document.createRange().createContextualFragment(gradio_config.head || ''));"
    b"gradio_config.head = '';</script>"
)


class EarlyHead:
    """Middleware that adds the line to Gradio's page; all else, and a page without the mark, passes as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message | None = None
        body = b""

        async def with_line(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                if MutableHeaders(scope=message).get("content-type", "").startswith("text/html"):
                    start = message
                    return
            elif start is not None:
                body += message.get("body", b"")
                if message.get("more_body"):
                    return
                body = body.replace(MARK, LINE + MARK, 1)
                if scope["method"] != "HEAD":  # whose length is of a body that does not come
                    MutableHeaders(scope=start)["content-length"] = str(len(body))
                await send(start)
                message = {"type": "http.response.body", "body": body}
            await send(message)

        await self.app(scope, receive, with_line if scope["type"] == "http" else send)

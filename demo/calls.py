"""Calls of the API as they arrive: small JSON with a value for each input, or 4xx with a sentence.

Gradio (6.31) takes bodies of any size, says nothing to who sends too few values, prints a traceback for that and for
an id that no call has, and keeps a second reader of an answer for ever (demo/answers.py); and a value that has the form
of a file makes it fetch whatever address stands in it. Its own client does none of this; scripts that speak HTTP do.
"""

from __future__ import annotations

import inspect
import json
import re
from typing import Any
from urllib.parse import parse_qs

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.answers import Answers
from demo.bodies import MAX_BODY, replayed, small_body
from demo.failures import failure
from demo.login import within
from demo.refused import Refused

CALL = re.compile(r"/gradio_api/(?:(?P<kind>call/v2|call|run|api)/(?P<name>[^/]+)|queue/join)")
ANSWER = re.compile(r"/gradio_api/call/(?:v2/)?[^/]+/(?P<event>[^/]+)")


class Calls:
    """Middleware of Gradio's app."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.answers = app, Answers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope.get("method"), within(scope) if scope["type"] == "http" else ""
        if method == "POST" and path == "/gradio_api/upload":
            await uploaded(self.app, scope, receive, send)
        elif method == "POST" and (call := CALL.fullmatch(path)):
            body = await small_body(receive)
            refused = too_long() if body is None else wrong_call(scope["app"].get_blocks(), call, body)
            if refused is None:
                await self.app(scope, replayed(body or b"", receive), send)
            else:
                await refused.response()(scope, receive, send)
        elif method == "GET" and (answer := ANSWER.fullmatch(path)):
            await self._answer(answer["event"], scope, receive, send)
        elif method == "GET" and path == "/gradio_api/queue/data":
            await self._stream(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _answer(self, event: str, scope: Scope, receive: Receive, send: Send) -> None:
        queue = scope["app"].get_blocks()._queue
        session = self.answers.of_call(queue, event)
        if isinstance(session, Refused):
            await session.response()(scope, receive, send)
            return
        with self.answers.reading_call(queue, session):
            await self.app(scope, receive, send)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        session = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[-1]
        refused = self.answers.of_stream(session)
        if refused is not None:
            await refused.response()(scope, receive, send)
            return
        with self.answers.reading_stream(session):
            await self.app(scope, receive, send)


async def uploaded(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Gradio's own answer to an upload, or a sentence where it breaks: on a form without files, or on a full disk."""
    begun = False

    async def noted(message: Message) -> None:
        nonlocal begun
        begun = True
        await send(message)

    try:
        await app(scope, receive, noted)
    except (TypeError, OSError) as error:
        if begun:
            raise
        said = "An upload is a form with files." if isinstance(error, TypeError) else failure(error).sentence
        await JSONResponse({"error": said}, 400 if isinstance(error, TypeError) else 500)(scope, receive, send)


def too_long() -> Refused:
    return Refused(413, f"A call has at most {MAX_BODY} bytes: ask for less at once.")


def file_paths(asked: object) -> list[str]:
    """The paths of all that has the form of a file of Gradio's."""
    found, rest = [], [asked]
    while rest:
        one = rest.pop()
        if isinstance(one, dict) and isinstance(one.get("path"), str):
            found.append(one["path"])
        rest += one.values() if isinstance(one, dict) else one if isinstance(one, list) else []
    return found


def wrong_call(blocks: Any, call: re.Match[str], body: bytes) -> Refused | None:
    """What is wrong with a call, or None."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        return Refused(400, "A call is a JSON object: docs/api.md shows one.")
    functions = blocks.fns
    if any(address.startswith(("http://", "https://")) for address in file_paths(asked)):
        return Refused(400, "A file is uploaded first: nothing is fetched from an address.")
    if call["kind"] is None:
        index = asked.get("fn_index")
        function = functions.get(index) if isinstance(index, int) else None
        if function is None:
            return Refused(404, "There is no such function: load the page again.")
    else:
        if file_paths(asked):
            return Refused(400, "This API takes no files: docs/api.md lists what it takes.")
        function = next((f for f in functions.values() if f.api_name == call["name"]), None)
        if function is None:
            return Refused(404, "There is no such endpoint: /gradio_api/info lists them.")
    names = list(inspect.signature(function.fn).parameters)
    if call["kind"] == "call/v2":
        odd = [name for name in asked if name not in names]
        return Refused(400, f"{call['name']} takes {', '.join(names)}, and no other.") if odd else None
    data = asked.get("data")
    if not isinstance(data, list) or len(data) != len(function.inputs):
        return Refused(400, f"data lists a value for each of {', '.join(names)}, in this order.")
    return None

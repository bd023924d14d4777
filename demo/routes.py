"""The addresses of the live session, beside Gradio's own: ddim/want, ddim/stop, ddim/leave, ddim/open,
ddim/picture/… and ddim/file/….

Relative to the page's own address, so that a proxy may put a prefix before them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from core.errors import CheckpointError, DataError
from demo.bodies import MAX_BODY, small_body
from demo.failures import failure
from demo.live import Live, Wish
from demo.making import Making
from demo.refused import Refused

MAX_PICTURE = 16 << 20  # bytes
SILENT_S = 1.0  # how often it is seen whether a browser is still there
TYPES = {"gif": "image/gif", "webp": "image/webp", "png": "image/png", "mp4": "video/mp4"}
END = object()


async def body(request: Request) -> Any:
    """A small JSON body. Raises ValueError with a sentence."""
    data = await small_body(request.receive)
    if data is None:
        raise ValueError(f"A message has at most {MAX_BODY} bytes.")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:  # of which Python speaks in its own words
        raise ValueError("A message is JSON, and not nested deep: load the page again.") from error


def routes(live: Live) -> list[Route]:
    """To be given to the app that serves the page."""

    opening, making = asyncio.Lock(), Making(lambda work: live.host.compute.call(work))

    async def want(request: Request) -> Response:
        try:
            wish = Wish.read(await body(request))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        first, messages = live.want(wish)
        return StreamingResponse(lines(request, first, messages), media_type="application/x-ndjson",
                                 headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})  # fmt: skip

    async def lines(request: Request, first: dict[str, Any], messages: Any) -> AsyncIterator[str]:
        yield json.dumps(first) + "\n"
        if messages is None:
            return
        loop, queue = asyncio.get_running_loop(), asyncio.Queue[Any]()

        def say(message: object) -> None:
            with contextlib.suppress(RuntimeError):  # the server is closing, and nobody listens
                loop.call_soon_threadsafe(queue.put_nowait, message)

        live.play(messages, say, lambda _: say(END))
        try:
            while True:
                try:
                    message = await asyncio.wait_for(queue.get(), SILENT_S)
                except TimeoutError:
                    if await request.is_disconnected():
                        return
                    yield "\n"  # keeps a proxy from hanging up
                    continue
                if message is END:
                    return
                yield json.dumps(message) + "\n"
        finally:
            live.stop(first["session"], first["seq"])  # who does not listen does not wait

    async def stop(request: Request) -> Response:
        try:
            asked = await body(request)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        if isinstance(asked, dict):
            live.stop(asked.get("session"), asked.get("seq"))
        return Response(status_code=204)

    async def leave(request: Request) -> Response:
        try:
            asked = await body(request)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        if isinstance(asked, dict):
            live.leave(asked.get("session"))
        return Response(status_code=204)

    async def picture(request: Request) -> Response:
        session = live.sessions.get(request.path_params["session"])
        if session is None:  # the page gets itself a new one, and tries again
            return JSONResponse({"error": "This tab is not known here any more: load the page again."}, 409)
        data = await small_body(request.receive, MAX_PICTURE)
        if data is None:
            return JSONResponse({"error": f"A picture has at most {MAX_PICTURE >> 20} MB: make it smaller."}, 413)
        try:
            name = await live.host.pictures.take(session.key, session.pictures, data)
        except DataError as error:
            return JSONResponse({"error": live.host.told(str(error))})
        except Exception as error:
            return JSONResponse({"error": live.host.told(failure(error).sentence)}, 500)
        return JSONResponse({"picture": name})

    async def open_named(request: Request) -> Response:
        try:
            asked = await body(request)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        try:
            async with opening:  # a download may take minutes
                found = await asyncio.to_thread(live.open_named, asked.get("text") if isinstance(asked, dict) else None)
        except CheckpointError as error:
            return JSONResponse({"error": live.host.told(str(error))})
        except Exception as error:
            return JSONResponse({"error": live.host.told(failure(error).sentence)}, 500)
        return JSONResponse(found)

    async def file(request: Request) -> Response:
        where = request.path_params
        session = live.sessions.get(where["session"])
        found = None if session is None else session.file(where["token"], where["name"])
        if session is None or found is None:
            return PlainTextResponse("This file is no longer kept: run it again on the page, then download it.", 404)
        try:  # on the compute thread, so that no step that is being timed runs beside it
            data = await making.get(session.key, where["token"], found.make)
        except Exception as error:
            return PlainTextResponse(live.host.told(failure(error).sentence), 500)
        if isinstance(data, Refused):
            return data.text()
        kind = TYPES.get(found.name.rpartition(".")[2], "application/octet-stream")
        names = f"attachment; filename*=UTF-8''{quote(found.name)}"
        return Response(data, media_type=kind, headers={"Content-Disposition": names, "Cache-Control": "no-store",
                                                        "X-Content-Type-Options": "nosniff"})  # fmt: skip

    return [
        Route("/ddim/want", want, methods=["POST"]),
        Route("/ddim/stop", stop, methods=["POST"]),
        Route("/ddim/leave", leave, methods=["POST"]),
        Route("/ddim/open", open_named, methods=["POST"]),
        Route("/ddim/picture/{session}", picture, methods=["POST"]),
        Route("/ddim/file/{session}/{token}/{name}", file, methods=["GET"]),
    ]

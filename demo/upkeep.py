"""What happens while the app is up although nobody asks for it: what nobody has used for a while leaves memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

from demo.gradio_sessions import GradioSessions, forget_read
from demo.live import Live

EVERY_S = 60.0


async def keep_up(app: Any, live: Live, every_s: float = EVERY_S) -> None:
    """Forget silent tabs, idle engines and answered calls now and then, until cancelled. app: Gradio's."""
    while True:
        await asyncio.sleep(every_s)
        forget_read(app.get_blocks()._queue)
        live.sessions.expire()
        live.host.compute.serve_beside()
        live.host.compute.later(live.host.let_go)


def lifespan(live: Live) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """For the app that serves the page."""

    @asynccontextmanager
    async def begun(app: Any) -> AsyncIterator[None]:
        app.state_holder = GradioSessions(app.get_blocks())
        task = asyncio.create_task(keep_up(app, live))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return begun

"""One load: clients begin, go on for a while, leave, and what is left is counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import httpx

from tests.load.callers import CHECKPOINT, call, caller, leaver, python_caller
from tests.load.server import Server
from tests.load.tabs import tab
from tests.load.tally import Tallies, Tally

GRACE_S = 600.0  # for what was begun to end in
FEW = 2  # open files that come and go
SETTLE_S = 30.0  # for the server to see that all have gone, at most
AT_REST = ("sessions", "playing", "work", "gradio_waiting", "gradio_running", "gradio_events", "gradio_iterators")


@dataclass(frozen=True)
class Load:
    """Who comes. api: callers over plain HTTP; python: through gradio_client. live: tabs; browsers: real ones. leavers:
    callers that go away in the middle. count: pictures of a tab's samples."""

    api: int = 0
    live: int = 0
    leavers: int = 0
    python: int = 0
    browsers: int = 0
    seconds: float = 60.0
    seed: int = 0
    count: int = 16
    checkpoints: tuple[str, ...] = ("toon-faces", "fashion-mnist")


async def loaded(url: str, load: Load, server: Server | None = None) -> dict[str, Any]:
    """Everything that was counted. server: where it is ours, so that its memory, threads and files can be seen."""
    tallies = Tallies(Tally)
    # the server closes connections that idle for 5 s: to ask through one in that very moment is to be reset
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=2)
    async with httpx.AsyncClient(base_url=url, timeout=httpx.Timeout(GRACE_S, connect=60), limits=limits) as http:
        await warm(http, load)
        before = await held(server)
        watching = None if server is None else asyncio.create_task(server.watch())
        began = time.monotonic()
        end = began + load.seconds
        await asyncio.gather(*clients(http, url, load, tallies, lambda: time.monotonic() > end))
        lasted = time.monotonic() - began
        if watching is not None:
            watching.cancel()
    return {
        "load": asdict(load),
        "seconds": round(lasted, 1),
        "clients": {name: tally.as_json() for name, tally in sorted(tallies.items())},
        "before": before,
        "after": await at_rest(server, before),
        "usage": used(server) if server is not None else None,
    }


async def warm(http: httpx.AsyncClient, load: Load) -> None:
    """Each checkpoint is opened, and a call was made: loading is not what is measured."""
    await call(http, Tally(), 1)
    for checkpoint in {*load.checkpoints, CHECKPOINT} if load.live else ():
        await call(http, Tally(), 1, checkpoint)


def clients(
    http: httpx.AsyncClient, url: str, load: Load, tallies: Tallies, over: Callable[[], bool]
) -> list[Coroutine[Any, Any, None]]:
    api = [caller(http, tallies["api"], i, load.seed, over) for i in range(load.api)]
    live = [
        tab(http, tallies["live"], i, load.seed, over, load.checkpoints[i % len(load.checkpoints)], load.count)
        for i in range(load.live)
    ]
    left = [leaver(http, tallies["leaver"], i, load.seed, over) for i in range(load.leavers)]
    python = [python_caller(url, tallies["gradio_client"], i, load.seed, over) for i in range(load.python)]
    if load.browsers:
        from tests.load.browsers import browsers  # which need Playwright

        live.append(browsers(url, tallies["browser"], load.browsers, load.seed, over))
    return api + live + left + python


async def held(server: Server | None) -> dict[str, Any] | None:
    """What the server keeps at this moment."""
    if server is None:
        return None
    now, (files, size) = server.usage(), server.files()
    kept = {"threads": now.threads, "open_files": now.open_files, "rss_mb": round(now.rss_mb, 1)}
    return {**await server.census(), **kept, "files": files, "files_mb": round(size / 1e6, 2)}


async def at_rest(server: Server | None, before: dict[str, Any] | None) -> dict[str, Any] | None:
    """The same once nothing goes on any more, or too late. A busy server sees only after a while that a connection was
    closed, so it is waited for that as well."""
    end = time.monotonic() + SETTLE_S
    while True:
        now = await held(server)
        if now is None or before is None or time.monotonic() > end:
            return now
        if not any(now[name] for name in AT_REST) and now["open_files"] <= before["open_files"] + FEW:
            return now
        await asyncio.sleep(0.3)


HEAP = ("heap_used_mb", "heap_free_mb", "results_mb", "given_mb")


def used(server: Server) -> dict[str, Any]:
    """Memory of the first and the last third after a warm-up of a sixth, of what it was, and how busy the server."""
    first, last = thirds(server.usages)
    kept = thirds(server.held) if len(server.held) > len(HEAP) else None
    cpu_s, lasted = last[-1].cpu_s - first[0].cpu_s, last[-1].at - first[0].at
    return {
        "rss_first_third_mb": round(median(u.rss_mb for u in first), 1),
        "rss_last_third_mb": round(median(u.rss_mb for u in last), 1),
        "rss_max_mb": round(max(u.rss_mb for u in server.usages), 1),
        "of_it": {name: [median(one[name] for one in part) for part in kept] for name in HEAP if name in kept[0][0]}
        if kept
        else None,
        "threads_max": max(u.threads for u in server.usages),
        "open_files_max": max(u.open_files for u in server.usages),
        "processors": round(cpu_s / lasted, 2) if lasted else None,
    }


def thirds(seen: list[Any]) -> tuple[list[Any], list[Any]]:
    """The first and the last third after a warm-up of a sixth."""
    seen = seen[len(seen) // 6 :] or seen
    third = max(1, len(seen) // 3)
    return seen[:third], seen[-third:]

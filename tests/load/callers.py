"""Callers of /sample: over plain HTTP, which is cheap for the machine that is measured, or by gradio_client."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from gradio_client import Client
from gradio_client.utils import QueueError

from tests.load.tally import Tally

CHECKPOINT, STEPS = "fashion-mnist", 5
CALL = "gradio_api/call/sample"
REFUSED_PAUSE_S = 1.0


async def call(http: httpx.AsyncClient, tally: Tally, seed: int, checkpoint: str = CHECKPOINT) -> None:
    """One picture from asking to its files, which are downloaded and looked at."""
    since = time.monotonic()
    try:
        asked = await http.post(CALL, json={"data": [checkpoint, [seed], STEPS, 0.0, None, "ddim", None]})
        if asked.status_code == 503 and "full" in asked.text:
            tally.ended("refused", since)
            await asyncio.sleep(REFUSED_PAUSE_S)
            return
        if asked.status_code >= 500:
            tally.ended("5xx", since, asked.text)
            return
        kind, value = await answer(http, asked.json()["event_id"])
        if kind != "complete" or value["state"] != "done":
            tally.ended("lost", since, f"{kind}: {value}")
            return
        if value["records"][0]["request"]["seeds"] != [seed]:
            tally.ended("lost", since, "a result of another caller")
            return
        files = [await http.get(value["files"][name]["url"]) for name in ("png", "npy")]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        tally.ended("lost", since, repr(error))
        return
    if any(file.status_code >= 500 for file in files):
        tally.ended("5xx", since, "a file")
    elif files[0].content[:4] != b"\x89PNG" or files[1].content[:6] != b"\x93NUMPY":
        tally.ended("lost", since, "a file is not what it should be")
    else:
        tally.first(since)
        tally.ended("finished", since)


async def answer(http: httpx.AsyncClient, event: str) -> tuple[str, Any]:
    """(how Gradio's stream of a call ends, its last value)."""
    kind, value = "nothing", None
    async with http.stream("GET", f"{CALL}/{event}") as stream:
        async for line in stream.aiter_lines():
            if line.startswith("event: "):
                kind = line[7:]
            elif line.startswith("data: ") and kind in ("complete", "error"):
                value = json.loads(line[6:])
                break
    return kind, value[0] if kind == "complete" and value else value


async def caller(http: httpx.AsyncClient, tally: Tally, number: int, seed: int, over: Callable[[], bool]) -> None:
    """Calls without a pause until it is over; each ends before the next begins."""
    rng = random.Random(f"{seed}-api-{number}")
    while not over():
        await call(http, tally, rng.randrange(2**40))


async def python_caller(url: str, tally: Tally, number: int, seed: int, over: Callable[[], bool]) -> None:
    """The same through gradio_client, in a thread of its own, as scripts do."""
    rng = random.Random(f"{seed}-python-{number}")

    def calls() -> None:
        with tempfile.TemporaryDirectory(prefix="load-client-") as folder:
            client = Client(url, verbose=False, download_files=folder)
            while not over():
                since, seeds = time.monotonic(), [rng.randrange(2**40)]
                try:
                    got = client.predict(checkpoint=CHECKPOINT, seeds=seeds, steps=STEPS, api_name="/sample")
                    mine = got["records"][0]["request"]["seeds"] == seeds and Path(got["files"]["png"]).stat().st_size
                    tally.ended("finished" if mine else "lost", since)
                except QueueError:
                    tally.ended("refused", since)
                    time.sleep(REFUSED_PAUSE_S)
                except Exception as error:  # whatever it is, the caller has no picture
                    tally.ended("lost", since, repr(error))
            client.close()

    await asyncio.to_thread(calls)


async def leaver(http: httpx.AsyncClient, tally: Tally, number: int, seed: int, over: Callable[[], bool]) -> None:
    """Asks for a minute of computing, listens for a moment and goes away without a word, again and again."""
    rng = random.Random(f"{seed}-leaver-{number}")
    while not over():
        since = time.monotonic()
        try:
            data = [CHECKPOINT, [rng.randrange(2**40)], 1000, 1.0, None, "ddim", None]
            asked = await http.post(CALL, json={"data": data})
            if asked.status_code != 200:
                tally.ended("refused" if asked.status_code == 503 else "5xx", since, asked.text)
            else:
                async with asyncio.timeout(rng.uniform(0.5, 3)):
                    await answer(http, asked.json()["event_id"])
        except TimeoutError:
            tally.ended("left", since)
        except httpx.HTTPError as error:
            tally.ended("lost", since, repr(error))
        await asyncio.sleep(rng.uniform(2, 5))

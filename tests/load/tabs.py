"""Tabs: each holds a session and posts its wishes to ddim/want, as demo/static/live.js does."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.load.tally import Tally

STEPS = (2, 5, 10, 20, 50)
SHOWN = {"coarse", "running", "done"}  # states of a panel that shows a picture of the settings asked for
DRAG, PACE_S = 0.4, 0.04  # how many wishes are followed by newer ones before they end; live.js's pace


class Tab:
    """One tab on the page's own first settings but for a checkpoint and a number of pictures."""

    def __init__(self, http: httpx.AsyncClient, tally: Tally, checkpoint: str, count: int) -> None:
        self.http, self.tally = http, tally
        self.session: str | None = None
        self.seq, self.settings = 0, {"checkpoint": checkpoint, "count": count, "view": "explore"}
        self.have: set[str] = set()

    async def want(self, **changes: Any) -> None:
        """One wish, listened to until it ends or a newer one of this tab has been sent."""
        self.seq += 1
        self.settings |= changes
        mine, since, shown, status = self.seq, time.monotonic(), False, ""
        asked = dict(self.settings)
        body = {"session": self.session, "seq": mine, "settings": asked, "have": sorted(self.have)[-400:]}
        try:
            async with self.http.stream("POST", "ddim/want", json=body) as stream:
                if stream.status_code != 200:
                    how = "5xx" if stream.status_code >= 500 else "refused" if stream.status_code == 429 else "lost"
                    self.tally.ended(how, since, f"ddim/want answers {stream.status_code}")
                    return
                async for line in stream.aiter_lines():
                    if mine != self.seq:
                        break  # live.js stops listening, too
                    message = json.loads(line) if line else {}
                    self.session = message.get("session", self.session)
                    self.have |= message.get("pictures", {}).keys()
                    if not shown and is_of(message, asked):
                        shown = True
                        self.tally.first(since)
                    status = message.get("status", [status])[0]
        except (httpx.HTTPError, ValueError) as error:
            if mine == self.seq:
                self.tally.ended("lost", since, repr(error))
                return
        if mine != self.seq:
            self.tally.ended("replaced", since)
        elif status == "done" and shown:
            self.tally.ended("finished", since)
        else:
            self.tally.ended("lost", since, f"the last word is {status or 'nothing'}, shown: {shown}")

    async def leave(self) -> None:
        """As the page does when it is closed."""
        await self.http.post("ddim/leave", json={"session": self.session})


def is_of(message: dict[str, Any], asked: dict[str, Any]) -> bool:
    """Whether a message shows the first picture as it was asked for, be it at fewer steps for now."""
    first = (message.get("value") or {}).get("a") if message.get("panel") == "duel" else None
    return (
        first is not None
        and first["state"] in SHOWN
        and first["seeds"] == [asked["seed"]]
        and first["checkpoint"] == asked["checkpoint"]
        and (first["state"] == "coarse" or first["steps"] == asked["steps"])
    )


async def tab(
    http: httpx.AsyncClient, tally: Tally, number: int, seed: int, over: Callable[[], bool],
    checkpoint: str, count: int,
) -> None:  # fmt: skip
    """Changes the seed and the steps, now and then by a drag, waits for the end, and thinks for a second or so."""
    rng = random.Random(f"{seed}-live-{number}")
    mine = Tab(http, tally, checkpoint, count)
    await asyncio.sleep(rng.uniform(0, 2))
    while not over():
        waiting = []
        for _ in range(rng.randint(2, 8) if mine.session and rng.random() < DRAG else 1):
            picks = {"seed": rng.randrange(2**40), "steps": rng.choice(STEPS), "steps_b": rng.choice(STEPS)}
            waiting.append(asyncio.ensure_future(mine.want(**picks)))
            await asyncio.sleep(rng.uniform(PACE_S, 0.3))
        await asyncio.gather(*waiting)
        await asyncio.sleep(rng.uniform(0.5, 2))
    await mine.leave()

"""Real browsers: each is a page in Chromium whose steps are dragged with the mouse."""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections.abc import Callable

from playwright.async_api import Browser, Page, async_playwright
from playwright.async_api import Error as BrowserError

from tests.load.tally import Tally

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DONE = '#status p[data-state="done"]'
SLIDER = "#steps input[type=range]"
FIRST = """() => { const duel = document.querySelector('#duel section.panel');
  return window.ddim.answered && duel && ['coarse', 'running', 'done'].includes(duel.dataset.state); }"""
CEILING_MS = 600_000


async def browsers(url: str, tally: Tally, count: int, seed: int, over: Callable[[], bool]) -> None:
    """So many pages in one Chromium, until it is over."""
    if not count:
        return
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        await asyncio.gather(
            *(one(chromium, url, tally, random.Random(f"{seed}-browser-{i}"), over) for i in range(count))
        )
        await chromium.close()


async def one(chromium: Browser, url: str, tally: Tally, rng: random.Random, over: Callable[[], bool]) -> None:
    """Opens the page, and drags again and again, each time until the end."""
    page = await chromium.new_page(reduced_motion="reduce")
    page.set_default_timeout(CEILING_MS)
    await page.goto(f"{url}?checkpoint=fashion-mnist&count=16", wait_until="domcontentloaded")
    await page.wait_for_selector(DONE)
    while not over():
        since = time.monotonic()
        try:
            await drag(page, rng.uniform(0.1, 0.7))
            since = time.monotonic()  # let go
            await page.wait_for_function(FIRST)
            tally.first(since)
            await page.wait_for_selector(DONE)
            await page.wait_for_function("window.ddim.atRest")
            tally.ended("finished", since)
        except BrowserError as error:
            tally.ended("lost", since, str(error))
        await asyncio.sleep(rng.uniform(0.5, 2))
    await page.close()


async def drag(page: Page, fraction: float) -> None:
    """Press on the slider's middle, move in steps, let go at a fraction of its width."""
    box = await page.locator(SLIDER).bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + box["width"] / 2, y)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * fraction, y, steps=8)
    await page.mouse.up()

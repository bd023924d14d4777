"""Coroutines run to their end in a thread of their own: Playwright leaves a loop in the thread where it was used."""

import asyncio
from concurrent.futures import ThreadPoolExecutor


def run_apart(coroutine):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()

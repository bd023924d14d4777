"""Files that visitors download are made when they are asked for: a few at once, each once, and the newest are kept.

A film takes the compute thread for as long as a run, and is done in one piece. Without a bound one visitor's requests
would fill the threads that wait for it, and everybody else's steps would stand behind them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from demo.cache import Cache
from demo.refused import Refused

A_TAB = 6  # as many connections as a browser has to one host over HTTP/1.1, so that a click is not refused by it
ALL = 16
MAX_BYTES = 32_000_000
TAB_FULL = Refused(429, "Six files of this page are being made: try again when one has arrived.", 2)
ALL_FULL = Refused(503, "Many files are being made here just now: try again in a few seconds.", 5)


class Making:
    """On the event loop alone, but for what makes the bytes. call: does work on the compute thread, and waits for it.

    A file that is asked for while it is made is made once. Who hangs up keeps the place until the file is there: the
    work is done all the same.
    """

    def __init__(self, call: Callable[[Callable[[], bytes]], bytes], a_tab: int = A_TAB, most: int = ALL) -> None:
        self.call, self.a_tab, self.most = call, a_tab, most
        self.kept = Cache(MAX_BYTES)
        self._made: dict[str, asyncio.Task[bytes]] = {}
        self._of: Counter[str] = Counter()
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="file")  # started when they are needed

    async def get(self, tab: str, token: str, make: Callable[[], bytes]) -> bytes | Refused:
        """The bytes of a tab's file, or why it must wait; what making it raises. token: no other file has it."""
        data = self.kept.get(token)
        if data is not None:
            return bytes(data)
        if token not in self._made:
            if self._of[tab] >= self.a_tab:
                return TAB_FULL
            if len(self._made) >= self.most:
                return ALL_FULL
            self._of[tab] += 1
            self._made[token] = asyncio.create_task(self._make(tab, token, make))
        return await asyncio.shield(self._made[token])

    async def _make(self, tab: str, token: str, make: Callable[[], bytes]) -> bytes:
        try:
            data = await asyncio.get_running_loop().run_in_executor(self._threads, self.call, make)
            self.kept.put(token, data, len(data))
            return data
        finally:
            del self._made[token]
            self._of[tab] -= 1
            if not self._of[tab]:
                del self._of[tab]

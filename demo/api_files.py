"""The files that calls of the API have made: a folder for each, the newest up to a number and size, for some hours.

They lie where Gradio serves files from, so it takes no copy; the whole folder goes with the app (demo/scratch.py).
"""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path

MAX_BYTES = 256_000_000
MAX_CALLS = 1000  # a host that ends the app gives it ten seconds, and a slow disk removes 500 files in one
KEPT_S = 6 * 3600.0


class ApiFiles:
    """folder: made when it is needed. forget: told of each path that is gone. Thread-safe."""

    def __init__(
        self, folder: Path, forget: Callable[[str], None] = lambda path: None, max_bytes: int = MAX_BYTES,
        max_calls: int = MAX_CALLS, kept_s: float = KEPT_S, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.folder, self.forget, self.max_bytes, self.max_calls = folder, forget, max_bytes, max_calls
        self.kept_s, self.clock = kept_s, clock
        self.size = 0
        self._kept: OrderedDict[Path, tuple[float, int, list[str]]] = OrderedDict()  # the oldest first
        self._lock = threading.Lock()

    def keep(self, files: Mapping[str, bytes]) -> dict[str, str]:
        """Name → path of each, at a place that nobody can guess. What is too old, or too much, goes; not these."""
        place = self.folder / secrets.token_urlsafe(16)
        place.mkdir(parents=True)
        paths = {name: str(place / name) for name in files}
        try:
            for name, data in files.items():
                (place / name).write_bytes(data)
        except BaseException:  # a full disk must not keep what nobody gets
            shutil.rmtree(place, ignore_errors=True)
            raise
        with self._lock:
            size = sum(map(len, files.values()))
            self._kept[place] = self.clock(), size, list(paths.values())
            self.size += size
            self._drop(place)
        return paths

    def _drop(self, newest: Path) -> None:
        while True:
            place, (made, size, paths) = next(iter(self._kept.items()))
            old = self.clock() - made > self.kept_s
            if place == newest or not (old or self.size > self.max_bytes or len(self._kept) > self.max_calls):
                return
            del self._kept[place]
            self.size -= size
            shutil.rmtree(place, ignore_errors=True)
            for path in paths:
                self.forget(path)

"""Pictures that people give: what a tab dropped, and the held-out examples beside a checkpoint. No torch."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.data.examples import read_examples
from core.errors import DataError
from core.picture_files import read_whole
from demo.cache import Cache
from demo.pictures import Picture, data_uri, tiles_picture

if TYPE_CHECKING:
    from core import Engine
    from demo.host import EngineHost

LONGEST = 640  # pixels of the longer side that are kept; networks of the page see 28 to 256
LEAST = 8  # of the shorter one
EACH = 6  # pictures of one tab: two in sight, and those before, for the browser's back button
MAX_BYTES = 200_000_000  # of all tabs
EXAMPLE = "example-"

Find = Callable[[str], "Given | None"]


class Given(NamedTuple):
    """One picture. pixels: H×W×3 uint8. shown: the same for the browser."""

    pixels: NDArray[np.uint8]
    shown: Picture

    def room(self, size: int) -> float:
        """How far one may zoom before a network of this size would see a blown-up picture; below 1 it is too small."""
        return min(self.pixels.shape[:2]) / size


class GivenPictures:
    """What tabs dropped, by the tab's key and a name that follows from the pixels; the oldest go first."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._kept = Cache(max_bytes)
        self._reading = asyncio.Lock()  # one at a time: a large picture takes hundreds of megabytes for a moment

    async def take(self, tab: str, names: deque[str], data: bytes) -> str:
        """Keep an encoded picture, and give its name. names: those of the tab. Raises DataError, a whole sentence."""
        async with self._reading:
            return await asyncio.to_thread(self.put, tab, names, data)

    def put(self, tab: str, names: deque[str], data: bytes) -> str:
        """``take``, at once."""
        pixels = _read(data)
        name = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()[:16]
        given = Given(pixels, Picture(data_uri(pixels, quality=85)))
        while len(names) >= EACH and name not in names:
            self._kept.put((tab, names.popleft()), None, 0)
        if name not in names:
            names.append(name)
        self._kept.put((tab, name), given, pixels.nbytes + len(given.shown.uri))
        return name

    def get(self, tab: str, name: str) -> Given | None:
        """What this tab dropped under this name, while it is kept."""
        found = self._kept.get((tab, name))
        return found if isinstance(found, Given) else None


def _read(data: bytes) -> NDArray[np.uint8]:
    with tempfile.NamedTemporaryFile(prefix="ddim-picture-") as file:
        file.write(data)
        file.flush()
        try:
            return read_whole(Path(file.name), LEAST, LONGEST)
        except DataError as error:
            raise DataError(f"The picture {error}.") from error


@lru_cache(maxsize=16)
def examples_of(folder: Path, size: int) -> tuple[tuple[Given, ...], Picture | None]:
    """The examples beside a checkpoint, and all of them in a row."""
    tiles = read_examples(folder, size)
    each = tuple(Given(tile, tiles_picture(tile[None])) for tile in tiles)
    return each, tiles_picture(tiles) if len(tiles) else None


def finder(host: EngineHost, engine: Engine, tab: str) -> Find:
    """Pictures by the names that settings give them: "example-3", or one of this tab's."""
    _, height, width = engine.checkpoint.shape

    def find(name: str) -> Given | None:
        if not name.startswith(EXAMPLE):
            return host.pictures.get(tab, name)
        each, k = examples_of(host.folder(engine.checkpoint.name), height)[0], int(name.removeprefix(EXAMPLE))
        return each[k] if k < len(each) and height == width else None

    return find

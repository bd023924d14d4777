"""The film of a race: runs replayed against their recorded clocks, which makes "10 to 50 times faster" plain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.errors import RequestError
from core.files.layout import Pictures, enlarge

INK, SOFT, ACCENT, PAPER, TRACK = (27, 28, 30), (92, 96, 102), (11, 93, 94), (255, 255, 255), (226, 225, 220)
FRAME_MS = 80
PAD, HEAD, FOOT = 10, 26, 30


@dataclass(frozen=True)
class Runner:
    """label: such as "S = 20 · η = 0". frames: F×H×W×3 uint8, from noise to the picture. at_s: F times at which
    each was reached (0 for x_T), measured while this run had the machine to itself; the last is when it finished."""

    label: str
    frames: Pictures
    at_s: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.frames) != len(self.at_s) or not self.at_s or list(self.at_s) != sorted(self.at_s):
            raise RequestError("A runner needs one rising time for each of its frames.")

    @property
    def total_s(self) -> float:
        return self.at_s[-1]

    def frame_at(self, clock_s: float) -> int:
        """Index of what was on screen at a time: the last frame reached by then."""
        return max(0, int(np.searchsorted(self.at_s, clock_s + 1e-9, side="right")) - 1)


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans as matplotlib brings it: it has η and the figures' equal widths, on every machine."""
    import matplotlib  # here, since few files have words, and it takes long to import

    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)


def clock_frames(
    runners: Sequence[Runner], longest_s: float = 8.0, frame_ms: int = FRAME_MS, at_least: int = 168
) -> tuple[NDArray[np.uint8], float]:
    """(N×H×W×3 frames of frame_ms each, how many seconds of the race one second of the film shows).
    at_least: side of a runner's picture in pixels; it is enlarged by a whole number.

    All start at 0 and each stops at its own total. The film takes as long as the slowest run, but 1 s at least and
    longest_s at most; then it is slowed down or sped up, and says so.
    """
    if not 1 <= len(runners) <= 4:
        raise RequestError("A race has one to four runners.")
    slowest = max(runner.total_s for runner in runners)
    film_s = min(max(slowest, 1.0), longest_s)
    speed = slowest / film_s
    count = int(film_s * 1000 / frame_ms)
    clocks = [*(slowest * i / count for i in range(count)), slowest]
    pictures = [enlarge(runner.frames, at_least) for runner in runners]
    return np.stack([_frame(runners, pictures, clock, slowest, speed) for clock in clocks]), speed


def _frame(
    runners: Sequence[Runner], pictures: list[NDArray[np.uint8]], clock: float, slowest: float, speed: float
) -> NDArray[np.uint8]:
    side = pictures[0].shape[1]
    width = PAD + len(runners) * (side + PAD)
    page = Image.new("RGB", (width, HEAD + side + FOOT + 24), PAPER)
    pen = ImageDraw.Draw(page)
    for i, (runner, film) in enumerate(zip(runners, pictures, strict=True)):
        x = PAD + i * (side + PAD)
        pen.text((x, 6), runner.label, INK, font(13))
        page.paste(Image.fromarray(film[runner.frame_at(clock)]), (x, HEAD))
        finished = clock >= runner.total_s
        shown = min(clock, runner.total_s)
        y = HEAD + side + 6
        pen.rectangle((x, y, x + side - 1, y + 2), fill=TRACK)
        pen.rectangle((x, y, x + max(0, (side - 1) * shown / runner.total_s), y + 2), fill=ACCENT)
        pen.text((x, y + 6), f"{shown:.2f} s", ACCENT if finished else INK, font(13))
        if finished:
            pen.text((x + side - 1, y + 6), "finished", ACCENT, font(13), anchor="ra")
    pen.text((PAD, page.height - 19), "x_T the same, each run timed alone" + speed_note(speed), SOFT, font(10))
    return np.asarray(page)


def speed_note(speed: float) -> str:
    """What the foot says of the speed: nothing where it is the race's own, to 5 %."""
    figure = f"{speed:.1f}" if speed > 1 else f"{speed:.2g}"
    return "" if 0.95 <= speed <= 1.05 else f", shown at {figure}× speed"

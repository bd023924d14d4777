"""Our GIF encoder beside imageio's default, on the frames of a run as the page exports them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import imageio.v3 as iio
import numpy as np

from core.engine import Engine
from core.evaluate.bench import in_turns
from core.files.encoders import gif_bytes
from core.files.layout import Pictures, enlarge
from core.pixels import to_pixels
from core.request import Request, SamplerSettings

FRAMES = 25


def default_gif(frames: Pictures) -> bytes:
    """imageio's own choices: a palette for each frame."""
    return iio.imwrite("<bytes>", frames, extension=".gif")


def gif_rows(engine: Engine, rounds: int) -> list[dict[str, object]]:
    """Times and bytes of both encoders for the 25 previews x̂0 of one picture, enlarged as exports are."""
    run = engine.run(Request((0,), SamplerSettings(min(FRAMES, engine.T))))
    frames = enlarge(np.concatenate([to_pixels(step.x0_hat) for step in run]))
    encoders: dict[str, Callable[[], bytes]] = {
        "this engine": lambda: gif_bytes(frames, {}),
        "imageio's default": lambda: default_gif(frames),
    }
    times = in_turns(encoders, rounds)
    shape = list(frames.shape)
    return [
        {"encoder": name, "frames": shape, "bytes": len(make()), **asdict(times[name])}
        for name, make in encoders.items()
    ]

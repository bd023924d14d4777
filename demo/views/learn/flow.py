"""The value of the 2-D panel: points of a known distribution on their way from noise to data."""

from __future__ import annotations

import base64
import io
import time
from functools import lru_cache
from typing import Any

from demo.settings import SHAPES, PageSettings
from demo.words import seconds, setting_label, step_note

SPAN = 2.8  # the panel shows −SPAN..SPAN both ways: one x_T ~ N(0, I) in 100 lies outside
TILES, SIDE = 11, 96  # pictures of the density from noise to data, and their side in pixels


@lru_cache(maxsize=len(SHAPES))
def cloud(shape: str) -> dict[str, Any]:
    """The density at noise levels √(1−ᾱ) from 1 to 0: {uri, side, levels}, tiles downwards, in the alpha channel."""
    import numpy as np
    from PIL import Image

    from core.mixture import distribution

    mixture, axis = distribution(shape), SPAN * (np.arange(SIDE) * 2 + 1 - SIDE) / SIDE  # the pixels' middles
    levels = [1 - i / (TILES - 1) for i in range(TILES)]
    tiles = [mixture.image(axis, 1 - level**2) for level in levels]
    # A power below 1 keeps the tails in view; each tile has its own scale, or the noise would be invisible.
    alpha = np.concatenate([(tile / tile.max()) ** 0.6 for tile in tiles])
    buffer = io.BytesIO()
    sheet = Image.fromarray(np.round(alpha * 255).astype(np.uint8))
    black = Image.new("L", sheet.size)
    Image.merge("RGBA", (black, black, black, sheet)).save(buffer, "WEBP", quality=20, alpha_quality=100, method=4)
    uri = "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
    return {"uri": uri, "side": SIDE, "levels": [round(level, 3) for level in levels]}


def hits(shape: str, points: Any) -> float:
    """The share of points (N, 2) within 3 standard deviations of a mode."""
    from core.mixture import distribution

    mixture = distribution(shape)
    return float((mixture.nearest(points)[1] < 3 * mixture.std).mean())


@lru_cache(maxsize=len(SHAPES))
def exact_hits(shape: str) -> float:
    """The same of the data themselves: 0.989 where modes lie apart, more where they overlap."""
    from core.mixture import distribution

    return hits(shape, distribution(shape).samples(5000, seed=0))


def flow_value(settings: PageSettings, n: int = 120) -> dict[str, Any]:
    """What the 2-D panel draws for the page's S, η, spacing and seed: JSON-ready, under 400 kB.

    paths: one list x, y, x, y… a point, from x_T to x_0, in thousandths' precision. t: the network index at each
    place of a path, −1 at the end; level: √(1−ᾱ) there. hit: the share of end points within 3 standard deviations of
    a mode. timing_ms: of the n paths, measured. shape: a key of SHAPES. S is cut to the 1000 steps of this schedule.
    """
    import numpy as np

    from core.mixture import distribution, kept_points, paths
    from core.request import SamplerSettings
    from core.schedule import NoiseSchedule

    shape = settings.shape
    schedule, mixture = NoiseSchedule(), distribution(shape)
    steps = min(settings.steps, schedule.T)
    sampler = SamplerSettings(steps=steps, eta=settings.eta, spacing=settings.spacing)
    start = time.perf_counter()
    track = paths(mixture, sampler, n, settings.seed, schedule)
    elapsed_s = time.perf_counter() - start

    t = [*sampler.step_list(schedule.T, settings.spacing), -1]
    kept = [t[i] for i in kept_points(steps)]
    hit = hits(shape, track[-1])
    flat = track.transpose(1, 0, 2).reshape(n, -1)
    return {
        "state": "done",
        "shape": shape,
        "name": SHAPES[shape],
        "label": f"{setting_label(steps, settings.eta)} · {settings.spacing}",
        "steps": steps,
        "eta": settings.eta,
        "seed": settings.seed,
        "n": n,
        "span": SPAN,
        "t": kept,
        "level": [round(float(np.sqrt(1 - schedule.alpha_bar[i + 1])), 4) for i in kept],
        "paths": np.round(flat, 3).tolist(),
        "cloud": cloud(shape),
        "hit": round(hit, 3),
        "timing_ms": round(1000 * elapsed_s, 1),
        "note": step_note(steps, settings.spacing),
        "readout": [
            ["on target", f"{100 * hit:.0f} %", f"within 3σ of a mode; data: {100 * exact_hits(shape):.0f} %"],
            ["time", seconds(elapsed_s), f"{n} points, measured"],
        ],
    }

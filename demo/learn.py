"""What the Learn view says and shows: a text, five guided experiments, and the value of the 2-D panel."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from demo.settings import Lane, PageSettings, as_control
from demo.views import seconds, setting_label, step_note

SHAPES = {"ring": "Ring of eight", "moons": "Two moons", "spiral": "Spiral", "two": "Two, 30 : 70"}
SPAN = 2.8  # the panel shows −SPAN..SPAN both ways: one x_T ~ N(0, I) in 100 lies outside
TILES, SIDE = 11, 96  # pictures of the density from noise to data, and their side in pixels

WHAT_IS_DDIM = """\
<section class="what">
<p>A diffusion network learns one thing: shown x<sub>t</sub>, part picture and part noise, it names the noise ε.
ᾱ<sub>t</sub> says how much is picture: 1 is clean, 0 all noise.</p>
<p>DDPM climbs back through all T levels, adding fresh noise z each time. DDIM saw that the same trained network serves
a family of processes, and jumps from t to any earlier level s:</p>
<div class="equation" role="math" aria-label="x s equals root of alpha bar s, times x hat zero, plus root of
one minus alpha bar s minus sigma squared, times epsilon, plus sigma z">
<span class="term">x<sub>s</sub> =</span>
<span class="term">√<span class="root">ᾱ<sub>s</sub></span> x̂<sub>0</sub></span>
<span class="term">+ √<span class="root">1 − ᾱ<sub>s</sub> − σ<sup>2</sup></span> ε</span>
<span class="term">+ σ z</span></div>
<div class="equation" role="math" aria-label="x hat zero equals x t minus root of one minus alpha bar t times epsilon,
all over root of alpha bar t">
<span class="term">x̂<sub>0</sub> =</span>
<span class="fraction"><span>x<sub>t</sub> − √<span class="root">1 − ᾱ<sub>t</sub></span> ε</span><span>√<span
class="root">ᾱ<sub>t</sub></span></span></span></div>
<div class="equation" role="math" aria-label="sigma squared equals eta squared times one minus alpha bar s over one
minus alpha bar t, times one minus alpha bar t over alpha bar s">
<span class="term">σ<sup>2</sup> = η<sup>2</sup></span>
<span class="fraction"><span>1 − ᾱ<sub>s</sub></span><span>1 − ᾱ<sub>t</sub></span></span>
<span class="tall">(</span><span class="term">1 −</span>
<span class="fraction"><span>ᾱ<sub>t</sub></span><span>ᾱ<sub>s</sub></span></span><span class="tall">)</span></div>
<p>Guess the clean picture, then put back less of the same noise. η&nbsp;=&nbsp;1 with every step is DDPM.
With η&nbsp;=&nbsp;0 only x<sub>T</sub> is random and alone decides the picture; paths are smooth,
so steps can be long.</p>
</section>"""


@dataclass(frozen=True)
class Experiment:
    """One click: the view to show, which fields of PageSettings change and to what, and what to look at then."""

    key: str
    title: str
    look: str
    view: str
    settings: Mapping[str, Any]

    def controls(self) -> dict[str, object]:
        """The same changes as the page's controls hold them, the view included: lists as JSON text."""
        lists = {k: as_control(v) if isinstance(v, tuple) else v for k, v in self.settings.items()}
        return {"view": self.view, **lists}


EXPERIMENTS = (
    Experiment(
        "fewer-steps", "Fewer steps",
        "Three runs from one noise, with 100, 20 and 5 steps. Between 100 and 20 look hard for a difference, then see "
        "what 5 steps lose: fine detail first. A noise that lies between two pictures may even end in the other one: "
        "other hair, say. Time falls in proportion.",
        "compare",
        {"lanes": (Lane(100, 0.0), Lane(20, 0.0), Lane(5, 0.0)), "seed": 3},
    ),
    Experiment(
        "eta", "Turn up η",
        "Both players start from one x_T and take 20 steps; only B adds noise on the way. Scrub: A settles "
        "steadily, B trembles to the end and arrives at another picture. "
        "In the paper the noise costs FID at 20 steps (CIFAR-10: 6.84 at η = 0, 18.36 at η = 1).",
        "explore",
        {"steps": 20, "eta": 0.0, "steps_b": 20, "eta_b": 1.0, "spacing": "leading", "seed": 3},
    ),
    Experiment(
        "same-noise", "Same noise, other S",
        "A takes 20 steps and B takes 100, from one x_T with η = 0. The two agree on what is shown and differ in "
        "the details: x_T is a code of the picture. Ten steps are too coarse for some codes: try them, and other "
        "seeds. Set both η to 1 and the likeness goes.",
        "explore",
        {"steps": 20, "eta": 0.0, "steps_b": 100, "eta_b": 0.0, "spacing": "leading", "seed": 3},
    ),
    Experiment(
        "interpolate", "Interpolate",
        "Every picture starts from a noise between those of two seeds, mixed by slerp. Look for a change without "
        "jumps and for pictures that make sense half-way. Then raise η to 1 with own noise for each: neighbours part.",
        "interpolate",
        {"steps": 20, "eta": 0.0, "keys": (3, 8, 12), "between": 10, "loop": True, "own_noise": False,
         "spacing": "leading"},
    ),
    Experiment(
        "ddpm-wins", "Where DDIM loses to DDPM",
        "Give both all 1000 steps and DDIM's lead is gone. The paper's winner here is DDPM with the larger noise σ̂ "
        "(command line: --sigma-hat): FID 3.17 on CIFAR-10, against 4.04 for DDIM and 4.73 for η = 1, this page's B. "
        "Look at edges and fine detail: fresh noise can correct a network's errors, which η = 0 carries to the end. "
        "At 10 steps it is 367 against 13.",
        "compare",
        {"lanes": (Lane(1000, 0.0), Lane(1000, 1.0)), "seed": 3},
    ),
)  # fmt: skip


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


def flow_value(settings: PageSettings, shape: str = "ring", n: int = 120) -> dict[str, Any]:
    """What the 2-D panel draws for the page's S, η, spacing and seed: JSON-ready, under 400 kB.

    paths: one list x, y, x, y… a point, from x_T to x_0, in thousandths' precision. t: the network index at each
    place of a path, −1 at the end; level: √(1−ᾱ) there. hit: the share of end points within 3 standard deviations of
    a mode. timing_ms: of the n paths, measured. shape: a key of SHAPES. S is cut to the 1000 steps of this schedule.
    Raises ValueError for an unknown shape.
    """
    import numpy as np

    from core.mixture import distribution, kept_points, paths
    from core.request import SamplerSettings
    from core.schedule import NoiseSchedule

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

"""What a network was trained for, before any sampler: its error of v = √ᾱ ε − √(1−ᾱ) x_0 at single noise levels.

‖v − v̂‖² = (SNR + 1) ‖x_0 − x̂_0‖², SNR = ᾱ / (1−ᾱ), whatever the network predicts and whatever its schedule, so at one
SNR any two networks of the same data compare, and progress is seen that pictures do not show yet. A far larger
error of pictures that were not trained on would mean that the network remembers those that it was trained on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core import noise
from core.engine import Engine
from core.evaluate.cells import SNRS, Cell
from core.evaluate.parts import Arrays, Part, Tick, load
from core.evaluate.setup import Setup
from core.pixels import from_pixels
from core.prediction import predict
from core.schedule import NoiseSchedule

SETS = ("held_out", "training")


@dataclass(frozen=True)
class Level:
    """t in 0..T−1, and √ᾱ and √(1−ᾱ) there."""

    t: int
    signal: float
    spread: float

    @property
    def snr(self) -> float:
        return (self.signal / self.spread) ** 2


def levels(schedule: NoiseSchedule) -> list[Level]:
    """The t nearest to each of SNRS, by ratio; each t once, so that a short schedule has fewer."""
    alpha_bar = schedule.alpha_bar[1:]
    ratios = np.log(alpha_bar / (1 - alpha_bar))
    ts = dict.fromkeys(int(np.abs(ratios - np.log(snr)).argmin()) for snr in SNRS)
    return [Level(t, float(alpha_bar[t] ** 0.5), float((1 - alpha_bar[t]) ** 0.5)) for t in ts]


@torch.inference_mode()
def errors(engine: Engine, x_0: Tensor, eps: Tensor, at: Level) -> Tensor:
    """‖v − v̂‖² a pixel of each picture (B,C,H,W) in [−1,1] with the noise eps of that shape: (B,) float64."""
    placed, kind = engine.placed, engine.checkpoint.defaults.prediction_type
    x_t = placed.to_device(at.signal * x_0 + at.spread * eps)
    x0_hat, _ = predict(x_t, placed.network(x_t, at.t), at, kind)
    return (x0_hat.float().cpu() - x_0).double().square().mean(dim=(1, 2, 3)) * (at.snr + 1)


def parts(setup: Setup, cell: Cell) -> list[Part]:
    """Parts of ``held_out`` and ``training`` (rows, levels): ‖v − v̂‖² a pixel. Picture i has the noise of seed
    seeds_from + i, at every level and in both sets."""
    of_level = levels(setup.engine.checkpoint.schedule)
    sets = {"held_out": setup.need_held_out(cell.n), "training": setup.need_training(cell.n)}
    name = "denoising-" + "-".join((found or "")[:8] for found in setup.digests)
    folder, found = setup.folder(name), []
    for start in range(0, cell.n, setup.chunk):
        rows = range(start, min(cell.n, start + setup.chunk))

        def make(tick: Tick, rows: range = rows) -> Arrays:
            eps = noise.latents(setup.seeds(rows), setup.engine.checkpoint.shape)
            measured: dict[str, NDArray[np.float64]] = {}
            for which, images in sets.items():
                clean = from_pixels(images[rows.start : rows.stop])
                batches = list(zip(clean.split(setup.batch), eps.split(setup.batch), strict=True))
                columns = []
                for at in of_level:
                    columns.append(torch.cat([errors(setup.engine, *pair, at) for pair in batches]))
                    tick(len(batches))
                measured[which] = torch.stack(columns, dim=1).numpy()
            return dict(measured)

        calls = -(-len(rows) // setup.batch) * len(of_level) * len(SETS)
        first, last = setup.seeds_from + rows.start, setup.seeds_from + rows.stop - 1
        found.append(Part(folder / f"{first}-{last}.npz", calls, make))
    return found


def figures(setup: Setup, cell: Cell) -> dict[str, object]:
    """n, and rows of t, snr, and of each of SETS the mean over pictures and its standard error (…_spread)."""
    made, rows = parts(setup, cell), []
    found = {which: load(made, which) for which in SETS}
    for i, at in enumerate(levels(setup.engine.checkpoint.schedule)):
        row: dict[str, float] = {"t": at.t, "snr": at.snr}
        for which, error in found.items():
            row[which] = float(error[:, i].mean())
            row[f"{which}_spread"] = float(error[:, i].std(ddof=1) / np.sqrt(len(error)))
        rows.append(row)
    return {"n": cell.n, "rows": rows}

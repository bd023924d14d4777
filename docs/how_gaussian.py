"""``python docs/how_gaussian.py``: how near to noise the x_T of pictures are, by S (decision 0022). Some minutes."""

import sys
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core import Engine, Request, SamplerSettings  # noqa: E402  # from a checkout, not installed
from core.data.examples import read_examples  # noqa: E402
from core.gaussian import gaussianness  # noqa: E402
from core.pixels import from_rgb  # noqa: E402

N, FOLDER = 8, ROOT / "checkpoints" / "toon-faces"
WAYS = ((20, 0), (20, 1), (100, 0), (500, 0))  # S and refinements

engine = Engine.open(FOLDER)
held_out = from_rgb(read_examples(FOLDER, engine.checkpoint.shape[1])[:N], engine.checkpoint.shape[0])
own = engine.sample(Request(tuple(range(N)), SamplerSettings(100, clip=False))).images
uniform = 2 * torch.rand(held_out.shape, generator=torch.Generator().manual_seed(0)) - 1
kinds = {"held-out": held_out, "own samples": own, "plain grey": torch.zeros_like(held_out), "uniform noise": uniform}
for name, images in kinds.items():
    for S, refine in WAYS if name != "uniform noise" else WAYS[2:3]:
        found = map(gaussianness, engine.encode(images, SamplerSettings(S, clip=False), refine).x_T)
        mean, std, neighbours = np.median([(g.mean, g.std, g.neighbours) for g in found], axis=0)
        print(f"{name}, S = {S}, {refine} refinements: spread {std:.2f}, neighbours {neighbours:.2f}, mean {mean:+.2f}")

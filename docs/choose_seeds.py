"""``python docs/choose_seeds.py CHECKPOINT… [--seeds 0-63] [--steps 10,20,50,100]``: seeds whose picture stays itself.

Prints the seeds of which every checkpoint's feature net takes the pictures of all these S (η = 0) for the same: a
garment's class, all parts of a face. Of each also how far the pictures of neighbouring S lie apart at most (root mean
square on [0, 1]), the least certainty of the net about the last picture, and whether that face fails a check.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core import Engine, Request, SamplerSettings  # noqa: E402  # from a checkout, not installed
from core.cli.options import parse_seeds  # noqa: E402
from core.evaluate.consistency import rms, shared  # noqa: E402
from core.evaluate.faces import check_faces, has_faces  # noqa: E402
from core.evaluate.feature_net import open_feature_net  # noqa: E402
from core.pixels import to_uint8  # noqa: E402


def steadiness(folder: Path, seeds: tuple[int, ...], steps: list[int]) -> list[tuple[bool, str]]:
    """(whether its picture is the same at every S, a line about it) for each seed."""
    engine = Engine.open(folder)
    net, _ = open_feature_net(ROOT / "checkpoints" / "features" / f"{engine.checkpoint.name}.safetensors")
    drawn = [to_uint8(engine.sample(Request(seeds, SamplerSettings(S)), max_batch=32).images).numpy() for S in steps]
    pairs = list(itertools.pairwise(drawn))
    same = np.min([shared(a, b, net) for a, b in pairs], axis=0) == 1
    apart = np.max([rms(a, b) for a, b in pairs], axis=0)
    certain = np.min(list(net.certainty(drawn[-1]).values()), axis=0)
    pixels = drawn[-1].transpose(0, 2, 3, 1)
    good = check_faces(pixels).all_ok if has_faces(net.config.name, pixels) else np.ones(len(seeds), bool)
    print(f"{folder}: the same at S = {', '.join(map(str, steps))} are {same.sum()} of {len(seeds)}")
    return [
        (bool(s), f"{folder.name}: apart {a:.3f}, certain {c:.2f}{'' if g else ', fails a check'}")
        for s, a, c, g in zip(same, apart, certain, good, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("checkpoints", nargs="+", type=Path)
    parser.add_argument("--seeds", type=parse_seeds, default=tuple(range(64)))
    parser.add_argument("--steps", default="10,20,50,100")
    args = parser.parse_args()
    steps = [int(S) for S in args.steps.split(",")]
    if len(steps) < 2:
        parser.error("--steps: name two or more, such as 10,50")
    found = [steadiness(folder, args.seeds, steps) for folder in args.checkpoints]
    for seed, lines in zip(args.seeds, zip(*found, strict=True), strict=True):
        if all(steady for steady, _ in lines):
            print(f"seed {seed}: {'; '.join(line for _, line in lines)}")


if __name__ == "__main__":
    main()

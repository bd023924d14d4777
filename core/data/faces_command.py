"""``python -m core faces``: make the toon-face data set, training and held-out."""

from __future__ import annotations

import argparse
import json
import multiprocessing
from pathlib import Path

import numpy as np
from tqdm import tqdm

from core.arguments import MAX_SEED, path_from, whole_from
from core.atomic import write_atomically
from core.data.datasets import UInt8Array
from core.data.faces import ATTRIBUTION, COLOURS, SHAPES, SIZE, draw, render
from core.folders import require_place

SPLITS = {"train": 0, "held-out": 1}
CHUNK = 250
MOST = 500_000  # faces, 6 GB in memory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=path_from, required=True, help="folder for train.npz and held-out.npz")
    parser.add_argument("--n", type=whole_from(1, MOST), default=60_000, help="training faces")
    parser.add_argument(
        "--held-out", type=whole_from(1, MOST), default=6_000, help="held-out faces, drawn from another stream"
    )
    parser.add_argument("--seed", type=whole_from(0, MAX_SEED), default=0)
    parser.add_argument("--workers", type=whole_from(0, 256), default=0, help="processes; 0: one a core")


def pictures(chunk: tuple[int, int, int, int]) -> UInt8Array:
    """Faces first..last−1 of a split: n×64×64×3."""
    seed, split, first, last = chunk
    return np.stack([render(draw(seed, split, i)) for i in range(first, last)])


def labels(seed: int, split: int, n: int) -> dict[str, np.ndarray]:
    """``shape_<name>`` (n,) uint8 and ``colour_<name>`` (n,) float32 of faces 0..n−1."""
    faces = [draw(seed, split, i) for i in range(n)]
    out = {f"shape_{name}": np.array([f.shapes[name] for f in faces], dtype=np.uint8) for name in SHAPES}
    return out | {f"colour_{name}": np.array([f.colours[name] for f in faces], dtype=np.float32) for name in COLOURS}


def make(path: Path, seed: int, split: int, n: int, workers: int) -> None:
    """Write one split: images, labels, and in ``about`` how it was made."""
    chunks = [(seed, split, first, min(n, first + CHUNK)) for first in range(0, n, CHUNK)]
    images = np.empty((n, SIZE, SIZE, 3), dtype=np.uint8)
    # spawn: forking a process that holds torch's threads can hang
    with (
        multiprocessing.get_context("spawn").Pool(workers) as pool,
        tqdm(total=n, unit=" faces", desc=path.name) as bar,
    ):
        for chunk, made in zip(chunks, pool.imap(pictures, chunks), strict=True):
            images[chunk[2] : chunk[3]] = made
            bar.update(len(made))
    about = {
        "attribution": ATTRIBUTION, "seed": seed, "split": split,
        "shapes": {name: values for name, (values, _) in SHAPES.items()}, "colours": COLOURS,
    }  # fmt: skip
    arrays = {"images": images, "about": np.array(json.dumps(about)), **labels(seed, split, n)}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda file: np.savez_compressed(file, allow_pickle=False, **arrays))


def run(args: argparse.Namespace) -> None:
    require_place(args.out)
    render(draw(args.seed, 0, 0))  # says what is missing before any process starts
    for name, n in (("train", args.n), ("held-out", args.held_out)):
        path = args.out / f"{name}.npz"
        make(path, args.seed, SPLITS[name], n, args.workers or multiprocessing.cpu_count())
        print(f"{path}: {n} faces, {path.stat().st_size / 1e6:.0f} MB")

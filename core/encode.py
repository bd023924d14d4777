"""``python -m core encode``: pictures in, latents out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from torch import Tensor
from tqdm import tqdm

from core.atomic import write_atomically
from core.engine import MAX_BATCH, Engine
from core.errors import DataError, RequestError
from core.files.encoders import npy_writer
from core.picture_files import read_picture
from core.pixels import from_pixels
from core.request import Request, SamplerSettings
from core.timesteps import SPACINGS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", help="folder in diffusers' layout")
    parser.add_argument("images", nargs="+", type=Path, help="picture files; the middle square is taken and scaled")
    parser.add_argument("--steps", type=int, default=100, help="S, from 1 to the checkpoint's T")
    parser.add_argument("--spacing", choices=SPACINGS, help="default: the checkpoint's own")
    parser.add_argument("--refine", type=int, default=0, metavar="K", help="fixed-point iterations a step")
    parser.add_argument("--batch", type=int, default=MAX_BATCH, help="pictures at once, at most")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N, mps")
    parser.add_argument("--precision", default="auto", help="auto (fp32), fp32, bf16, fp16")
    parser.add_argument("--out", type=Path, required=True, help="x_T as .npy, float32 N×C×H×W")


def read_images(paths: list[Path], shape: tuple[int, int, int]) -> Tensor:
    """Files as the network sees them: (N,C,H,W) in [−1,1]; colours become their luminance for a grey network."""
    channels, size, _ = shape
    pictures = []
    for path in paths:
        try:
            picture = read_picture(path, size)
        except DataError as error:
            raise DataError(f"{path} {error}: give a PNG or JPEG of at least {size}×{size} pixels.") from error
        if channels == 1:
            picture = np.rint(picture @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)[..., None]
        pictures.append(picture.transpose(2, 0, 1))
    return from_pixels(np.stack(pictures))


def run(args: argparse.Namespace) -> None:
    if args.out.suffix.lower() != ".npy":
        raise RequestError(f"--out must end in .npy, not {args.out.name!r}.")
    if args.batch < 1:
        raise RequestError("--batch must be at least 1.")
    if not args.out.resolve().parent.is_dir():
        raise RequestError(f"The folder of {args.out} does not exist: make it first.")
    engine = Engine.open(args.checkpoint, args.device, args.precision)
    images = read_images(args.images, engine.checkpoint.shape)
    settings = SamplerSettings(args.steps, spacing=args.spacing, clip=False)
    with tqdm(unit="step", disable=not sys.stderr.isatty(), leave=False) as bar:

        def on_step(done: int, total: int) -> None:
            bar.total = total
            bar.update(1)

        found = engine.encode(images, settings, args.refine, args.batch, on_step)
    write_atomically(args.out, npy_writer(found.x_T))
    back = engine.sample(Request(tuple(range(len(images))), settings), found.x_T, args.batch)
    error = ((back.images.clamp(-1, 1) - images) / 2).square().mean()
    if args.refine and found.held_back:
        print(f"refinement ended early in {found.held_back:.1%} of the steps: it no longer contracted", file=sys.stderr)
    print(
        f"{args.out}: {len(images)} latents, {found.evaluations} network evaluations; decoded at the same steps they "
        f"differ from the pictures by {error:.2e} (mean square, pixels 0..1), x_T has std {float(found.x_T.std()):.3f}"
    )

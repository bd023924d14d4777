"""``python -m core encode``: pictures in, latents out, and the command that decodes them."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

import numpy as np
from torch import Tensor
from tqdm import tqdm

from core.arguments import path_from, whole_from
from core.backends import BACKENDS
from core.cli.options import flags
from core.cli.room import require_room
from core.cli.sample import say_backend
from core.cli.threads import add_threads, use_threads
from core.engine import MAX_BATCH, Engine
from core.errors import DataError, RequestError
from core.folders import require_files
from core.latent_files import notes_path, require_own_notes, write_latents
from core.picture_files import read_picture
from core.pixels import from_rgb
from core.plain_numbers import excerpt
from core.request import Request, SamplerSettings
from core.timesteps import SPACINGS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=path_from, help="folder in diffusers' layout, or an id of the hub")
    parser.add_argument(
        "images", nargs="+", type=path_from, help="picture files; the middle square is taken and scaled"
    )
    parser.add_argument("--steps", type=whole_from(1), default=100, help="S, from 1 to the checkpoint's T")
    parser.add_argument("--spacing", choices=SPACINGS, help="default: the checkpoint's own")
    parser.add_argument(
        "--refine", type=whole_from(0, 1000), default=0, metavar="K", help="fixed-point iterations a step"
    )
    parser.add_argument("--label", type=whole_from(0), help="the class of the pictures, for a network that has classes")
    parser.add_argument("--batch", type=whole_from(1, 1024), default=MAX_BATCH, help="pictures at once, at most")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N, mps")
    parser.add_argument("--precision", default="auto", help="auto (fp32), fp32, bf16, fp16")
    parser.add_argument("--backend", default="auto", choices=["auto", *BACKENDS], help="what computes the network")
    add_threads(parser)
    parser.add_argument(
        "--out",
        type=path_from,
        required=True,
        help="x_T as .npy, float32 N×C×H×W; how to decode it goes into a .json beside it",
    )


def read_images(paths: list[Path], shape: tuple[int, int, int]) -> Tensor:
    """Files as the network sees them: (N,C,H,W) in [−1,1]; colours become their luminance for a grey network."""
    channels, size, _ = shape
    pictures = []
    for path in paths:
        try:
            picture = read_picture(path, size)
        except DataError as error:
            raise DataError(f"{path} {error}; give a PNG or JPEG of at least {size}×{size} pixels.") from error
        pictures.append(picture)
    return from_rgb(np.stack(pictures), channels)


def decoding(args: argparse.Namespace) -> str:
    """The command line that gives the pictures back: unclipped, through the same steps."""
    words = ["python", "-m", "core", "sample", str(args.checkpoint), "--latents", str(args.out)]
    words += flags({"clip": False, "steps": args.steps} | ({"spacing": args.spacing} if args.spacing else {}))
    if args.label is not None:
        words += flags({"label": args.label})
    for name in ("device", "precision", "backend"):
        if getattr(args, name) != "auto":
            words += [f"--{name}", getattr(args, name)]
    return shlex.join([*words, "--out", "decoded.png"])


def run(args: argparse.Namespace) -> None:
    if args.out.suffix.lower() != ".npy":
        raise RequestError(f"--out must end in .npy, not {excerpt(args.out.name)}.")
    require_files(args.out, notes_path(args.out))
    require_own_notes(args.out)
    use_threads(args.threads)
    engine = Engine.open(args.checkpoint, args.device, args.precision, args.backend)
    require_room(".npy", len(args.images), engine.checkpoint.shape)
    say_backend(args.backend, engine)
    images = read_images(args.images, engine.checkpoint.shape)
    spacing = args.spacing or engine.checkpoint.defaults.spacing
    settings = SamplerSettings(args.steps, spacing=spacing, clip=False, label=args.label)
    with tqdm(unit="step", disable=not sys.stderr.isatty(), leave=False) as bar:

        def on_step(done: int, total: int) -> None:
            bar.total = total
            bar.update(1)

        found = engine.encode(images, settings, args.refine, args.batch, on_step)
    write_latents(args.out, found.x_T, engine.checkpoint, settings, args.refine)
    back = engine.sample(Request(tuple(range(len(images))), settings), found.x_T, args.batch)
    error = ((back.images.clamp(-1, 1) - images) / 2).square().mean()
    if args.refine and found.held_back:
        print(f"refinement ended early in {found.held_back:.1%} of the steps: it no longer contracted", file=sys.stderr)
    print(
        f"{args.out}: {len(images)} latents, {found.evaluations} network evaluations; decoded at the same steps they "
        f"differ from the pictures by {error:.2e} (mean square, pixels 0..1), x_T has std {float(found.x_T.std()):.3f}"
    )
    print(f"decode: {decoding(args)}")

"""``python -m core sample`` and ``interpolate``: the contract for scripts."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from core.atomic import write_atomically
from core.engine import MAX_BATCH, Engine
from core.errors import DataError, RequestError
from core.files import SUFFIXES, Made, save
from core.request import Request, SamplerSettings
from core.result import Result
from core.timesteps import SPACINGS


def parse_seeds(text: str) -> tuple[int, ...]:
    """ "0-15", "3,8" or "1,4-6" → seeds in that order."""
    seeds: list[int] = []
    try:
        for part in text.split(","):
            first, dash, last = part.strip().partition("-")
            span = range(int(first), int(last) + 1) if dash else range(int(first), int(first) + 1)
            if not span or len(span) > 1_000_000:
                raise ValueError
            seeds.extend(span)
    except (ValueError, OverflowError) as error:
        raise RequestError(f"--seeds {text!r} is not understood: write 0-15, or 3,8, or 1,4-6.") from error
    return tuple(seeds)


def add_common(parser: argparse.ArgumentParser, seeds: str) -> None:
    parser.add_argument("checkpoint", help="folder in diffusers' layout, such as checkpoints/fashion-mnist")
    parser.add_argument("--steps", type=int, default=20, help="S, from 1 to the checkpoint's T")
    parser.add_argument("--eta", type=float, default=0.0, help="0 is DDIM, 1 is DDPM")
    parser.add_argument("--seeds", default=seeds, help="such as 0-15 or 3,8")
    parser.add_argument("--spacing", choices=SPACINGS, help="default: the checkpoint's own")
    parser.add_argument("--timesteps", help="a custom falling list of network indices, such as 900,500,100,0")
    parser.add_argument("--sigma-hat", action="store_true", help="the paper's larger-variance DDPM; implies eta 1")
    parser.add_argument("--clip", action=argparse.BooleanOptionalAction, help="clip x̂0; default: the checkpoint's own")
    parser.add_argument(
        "--latents", type=Path, help="x_T as .npy, float32 N×C×H×W, one a picture; default: the seeds' own"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N, mps")
    parser.add_argument("--precision", default="auto", help="auto (fp32), fp32, bf16, fp16")
    parser.add_argument("--batch", type=int, default=MAX_BATCH, help="pictures at once, at most")
    parser.add_argument("--timing", type=Path, metavar="FILE.json", help="write the timing record")
    parser.add_argument("--columns", type=int, help="pictures in a row of a .png sheet")
    parser.add_argument("--out", type=Path, required=True, help=".npy, .png, .gif or .webp")


def add_interpolation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--frames", type=int, help="pictures on the strip, both ends included; default: 11")
    parser.add_argument("--sheet", type=int, metavar="N", help="N × N pictures between four corner seeds instead")
    parser.add_argument("--place", metavar="ACROSS,DOWN", help="one place on that sheet, such as 0.5,0.25, instead")
    parser.add_argument("--own-noise", action="store_true", help="with eta > 0, each picture adds its own noise")
    parser.add_argument("--loop", action="store_true", help="return to the first seed")
    parser.add_argument("--boomerang", action="store_true", help="animate there and back")


def settings_of(args: argparse.Namespace) -> SamplerSettings:
    timesteps = None
    if args.timesteps:
        try:
            timesteps = tuple(int(t) for t in args.timesteps.split(","))
        except ValueError as error:
            raise RequestError("--timesteps must be whole numbers, such as 900,500,100,0.") from error
    return SamplerSettings(args.steps, args.eta, args.spacing, timesteps, args.sigma_hat, args.clip)


def request_of(args: argparse.Namespace) -> Request:
    """The request that the options make. Raises RequestError."""
    seeds, settings = parse_seeds(args.seeds), settings_of(args)
    if args.command != "interpolate":
        return Request(seeds, settings)
    place = None
    if args.place is not None:
        try:
            across, down = (float(w) for w in args.place.split(","))
        except ValueError as error:
            raise RequestError("--place must be two numbers from 0 to 1, such as 0.5,0.25.") from error
        place = (across, down)
    elsewhere = args.sheet is not None or place is not None
    frames = args.frames if args.frames is not None or elsewhere else 11
    return Request(seeds, settings, frames, args.loop, args.sheet, place, args.own_noise)


def read_latents(path: Path | None) -> Tensor | None:
    if path is None:
        return None
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} is no .npy array of latents ({error}).") from error
    if not isinstance(array, np.ndarray):
        raise DataError(f"{path} is an archive; latents are one .npy array, float32 N×C×H×W.")
    if array.dtype.kind != "f" or array.ndim != 4:
        raise DataError(f"{path} holds {array.dtype} {array.shape}; latents are float32 N×C×H×W.")
    return torch.from_numpy(array.astype(np.float32))


def run(args: argparse.Namespace) -> None:
    """Sample or interpolate, with a progress bar on stderr, and write what was asked for."""
    if args.out.suffix.lower() not in SUFFIXES:
        raise RequestError(f"--out must end in {', '.join(SUFFIXES)}, not {args.out.name!r}.")
    if args.batch < 1 or (args.columns is not None and args.columns < 1):
        raise RequestError("--batch and --columns must be at least 1.")
    for path in (args.out, args.timing):
        if path is not None and not path.resolve().parent.is_dir():
            raise RequestError(f"The folder of {path} does not exist: make it first.")
    interpolating = args.command == "interpolate"
    x_T, request = read_latents(args.latents), request_of(args)
    if x_T is not None and not interpolating and request.count != len(x_T):
        raise RequestError(
            f"--latents holds {len(x_T)} and --seeds names {request.count}: give one seed for each latent."
        )
    engine = Engine.open(args.checkpoint, args.device, args.precision)
    with tqdm(unit="step", disable=not sys.stderr.isatty(), leave=False) as bar:

        def on_step(done: int, total: int) -> None:
            bar.total = total
            bar.update(1)

        result = engine.sample(request, x_T, args.batch, on_step)
    write(args, result, interpolating)


def write(args: argparse.Namespace, result: Result, interpolating: bool) -> None:
    made = Made(result.record, images=result.images)
    save(args.out, made, args.columns, back=interpolating and args.boomerang)
    t = result.timing
    if args.timing is not None:
        write_atomically(args.timing, (json.dumps(t.as_dict(), indent=2) + "\n").encode())
    print(
        f"{args.out}: {len(result.images)} pictures in {t.total_s:.2f} s, {t.images_per_s:.2f} images/s, "
        f"{t.ms_per_evaluation:.1f} ms a network evaluation ({t.evaluations}, batch {t.batch}), "
        f"{t.device_name}, {t.precision}, {t.threads} threads"
    )

"""``python -m core sample`` and ``interpolate``: the contract for scripts."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from tqdm import tqdm

from core.arguments import path_from, real_from, whole_from
from core.atomic import Content, write_together
from core.backends import BACKENDS, instead_of
from core.cli.options import MAX_PICTURES, flags, request_of
from core.cli.room import require_room
from core.cli.threads import add_threads, use_threads
from core.engine import MAX_BATCH, Engine
from core.errors import RequestError
from core.files import FILMS, SUFFIXES, Made, content
from core.files.mp4 import require_mp4
from core.folders import require_files
from core.latent_files import Latents, notes_path, read_latents
from core.plain_numbers import excerpt
from core.result import Result
from core.solvers import SOLVERS
from core.timesteps import SPACINGS


def add_common(parser: argparse.ArgumentParser, seeds: str) -> None:
    parser.add_argument(
        "checkpoint", type=path_from, help="folder such as checkpoints/fashion-mnist, or an id of the hub: owner/name"
    )
    parser.add_argument("--steps", type=whole_from(1), help="S, from 1 to the checkpoint's T; default: 20")
    parser.add_argument("--eta", type=real_from(0, 1), help="0 is DDIM, 1 is DDPM; default: 0")
    parser.add_argument("--seeds", help=f"such as 0-15 or 3,8; default: {seeds}")
    parser.set_defaults(default_seeds=seeds)
    parser.add_argument("--spacing", choices=SPACINGS, help="default: the checkpoint's own")
    parser.add_argument("--timesteps", help="a custom falling list of network indices, such as 900,500,100,0")
    parser.add_argument("--sigma-hat", action="store_true", help="the paper's larger-variance DDPM; implies eta 1")
    parser.add_argument("--clip", action=argparse.BooleanOptionalAction, help="clip x̂0; default: the checkpoint's own")
    parser.add_argument(
        "--latents",
        type=path_from,
        help="x_T as .npy, float32 N×C×H×W, one for each seed, sampled as the .json beside it says where nothing else "
        "is asked; default: the seeds' own",
    )
    parser.add_argument(
        "--start",
        type=whole_from(0),
        metavar="T",
        help="begin at this t of the step list: --latents are x_t there, not x_T",
    )
    parser.add_argument("--label", type=whole_from(0), help="the class of the pictures, for a network that has classes")
    parser.add_argument("--solver", choices=list(SOLVERS), help="default: ddim; the others are beyond the paper")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N, mps")
    parser.add_argument("--precision", default="auto", help="auto (fp32), fp32, bf16, fp16")
    parser.add_argument("--backend", default="auto", choices=["auto", *BACKENDS], help="what computes the network")
    parser.add_argument("--batch", type=whole_from(1, 1024), default=MAX_BATCH, help="pictures at once, at most")
    add_threads(parser)
    parser.add_argument("--timing", type=path_from, metavar="FILE.json", help="write the timing record")
    parser.add_argument("--columns", type=whole_from(1, 65_535), help="pictures in a row of a .png sheet")
    parser.add_argument("--out", type=path_from, required=True, help=".npy, .png, .gif, .webp or .mp4")


def add_interpolation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--frames",
        type=whole_from(1, MAX_PICTURES),
        help="pictures on the strip, both ends included; default: 11, or as many as keys",
    )
    parser.add_argument(
        "--sheet", type=whole_from(1, 1000), metavar="N", help="N × N pictures between four corner seeds instead"
    )
    parser.add_argument("--place", metavar="ACROSS,DOWN", help="one place on that sheet, such as 0.5,0.25, instead")
    parser.add_argument("--own-noise", action="store_true", help="with eta > 0, each picture adds its own noise")
    parser.add_argument("--loop", action="store_true", help="return to the first key")
    parser.add_argument("--boomerang", action="store_true", help="animate there and back")


def check_files(args: argparse.Namespace) -> None:
    """Raises RequestError for files that could not be written, before anything is computed."""
    suffix = args.out.suffix.lower()
    if suffix not in SUFFIXES:
        raise RequestError(f"--out must end in {', '.join(SUFFIXES)}, not {excerpt(args.out.name)}.")
    require_mp4(suffix)
    if args.columns is not None and suffix != ".png":
        raise RequestError("--columns lays out a .png sheet: leave it out, or let --out end in .png.")
    if args.command == "interpolate" and args.boomerang and suffix not in FILMS:
        raise RequestError("--boomerang is for animations: leave it out, or let --out end in .gif, .webp or .mp4.")
    require_files(*(path for path in (args.out, args.timing) if path is not None))


def say_what_was_taken(latents: Latents, taken: Mapping[str, object], checkpoint_sha256: str) -> None:
    """On stderr, what the notes beside the latents brought about, and where they do not fit."""
    if latents.notes is None:
        return
    beside = notes_path(latents.path)
    if not latents.as_noted:
        print(f"{beside} tells of other latents than {latents.path.name} holds: it is not followed", file=sys.stderr)
        return
    if taken:
        print(f"{beside}: taken {shlex.join(flags(taken))}", file=sys.stderr)
    if latents.notes.checkpoint_sha256 != checkpoint_sha256:
        name = excerpt(latents.notes.checkpoint_name)
        print(f"{beside}: the latents come from another checkpoint, {name}, whose codes mean other pictures here",
              file=sys.stderr)  # fmt: skip


def say_backend(asked: str, engine: Engine) -> None:
    """On stderr, why a faster backend cannot be had here, where the choice was left open."""
    reason = instead_of(engine.device, engine.precision) if asked == "auto" else None
    if reason is not None:
        print(f"computed by torch: {reason}", file=sys.stderr)


def run(args: argparse.Namespace) -> None:
    """Sample or interpolate, with a progress bar on stderr, and write what was asked for."""
    check_files(args)
    latents = None if args.latents is None else read_latents(args.latents)
    request, taken = request_of(args, latents)
    use_threads(args.threads)
    engine = Engine.open(args.checkpoint, args.device, args.precision, args.backend)
    back = args.command == "interpolate" and args.boomerang
    columns = args.columns or request.frames  # as core.files.of_run lays them out
    require_room(args.out.suffix.lower(), request.count, engine.checkpoint.shape, columns, back)
    say_backend(args.backend, engine)
    if latents is not None:
        say_what_was_taken(latents, taken, engine.checkpoint.sha256)
    with tqdm(unit="step", disable=not sys.stderr.isatty(), leave=False) as bar:

        def on_step(done: int, total: int) -> None:
            bar.total = total
            bar.update(1)

        result = engine.sample(request, None if latents is None else latents.x_T, args.batch, on_step)
    write(args, result, args.command == "interpolate")


def write(args: argparse.Namespace, result: Result, interpolating: bool) -> None:
    made = Made(result.record, images=result.images)
    t = result.timing
    files: dict[Path, Content] = {args.out: content(args.out, made, args.columns, interpolating and args.boomerang)}
    if args.timing is not None:
        files[args.timing] = (json.dumps(t.as_dict(), indent=2) + "\n").encode()
    write_together(files)
    print(
        f"{args.out}: {len(result.images)} pictures in {t.total_s:.2f} s, {t.images_per_s:.2f} images/s, "
        f"{t.ms_per_evaluation:.1f} ms a network evaluation ({t.evaluations}, batch {t.batch}), "
        f"{t.device_name}, {t.precision}, {t.threads} threads, {t.backend}"
    )

"""``python -m core branch``: down to some t, and from there several times: a row of pictures for each t."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import replace

from torch import Tensor
from tqdm import tqdm

from core.arguments import MAX_SEED, path_from, real_from, whole_from
from core.atomic import write_atomically
from core.backends import BACKENDS
from core.branches import Branches, spread
from core.cli.encode import read_images
from core.cli.options import given_settings, settings_of
from core.cli.room import require_room
from core.cli.sample import say_what_was_taken
from core.cli.threads import add_threads, use_threads
from core.engine import MAX_BATCH, Engine
from core.errors import RequestError
from core.files import FILMS, SUFFIXES, branches
from core.files.mp4 import require_mp4
from core.files.tree import row_of, tree_note
from core.folders import require_folder
from core.latent_files import read_latents
from core.plain_numbers import excerpt, whole_numbers
from core.request import Request
from core.run import Run
from core.timesteps import SPACINGS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "checkpoint", type=path_from, help="folder such as checkpoints/fashion-mnist, or an id of the hub: owner/name"
    )
    parser.add_argument("--at", required=True, help="where to part, each a t of the step list, such as 600,400,200")
    parser.add_argument("--count", type=whole_from(1, 1000), default=6, help="branches from each; default: 6")
    parser.add_argument(
        "--eta", type=real_from(0, 1), dest="branch_eta", default=1.0, help="of the branches; default: 1"
    )
    parser.add_argument("--trunk-eta", type=real_from(0, 1), dest="eta", help="of the way down to there; default: 0")
    parser.add_argument("--seed", type=whole_from(0, MAX_SEED), default=0, help="of x_T and of all noise; default: 0")
    parser.add_argument(
        "--picture", type=path_from, help="encode this picture up to each t, instead of a way down from x_T"
    )
    parser.add_argument(
        "--refine", type=whole_from(0, 1000), metavar="K", help="fixed-point iterations a step of that encoding"
    )
    parser.add_argument("--latents", type=path_from, help="x_T as .npy, one latent, instead of the seed's own")
    parser.add_argument("--start", type=whole_from(0), metavar="T", help="--latents are x_t of this t, not x_T")
    parser.add_argument("--steps", type=whole_from(1), help="S, from 1 to the checkpoint's T; default: 20")
    parser.add_argument("--spacing", choices=SPACINGS, help="default: the checkpoint's own")
    parser.add_argument("--label", type=whole_from(0), help="the class of the pictures, for a network that has classes")
    parser.add_argument("--timesteps", help="a custom falling list of network indices, such as 900,500,100,0")
    parser.add_argument(
        "--clip",
        action=argparse.BooleanOptionalAction,
        help="clip x̂0; default: the checkpoint's own, but not after --picture, which is encoded without",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N, mps")
    parser.add_argument("--precision", default="auto", help="auto (fp32), fp32, bf16, fp16")
    parser.add_argument("--backend", default="auto", choices=["auto", *BACKENDS], help="what computes the network")
    parser.add_argument("--batch", type=whole_from(1, 1024), default=MAX_BATCH, help="pictures at once, at most")
    add_threads(parser)
    parser.add_argument(
        "--out",
        type=path_from,
        required=True,
        help=".png: a sheet, a row for each t; .gif, .webp, .mp4: its film; .npy: row by row",
    )
    parser.set_defaults(sigma_hat=False, solver=None)


def check(args: argparse.Namespace) -> tuple[int, ...]:
    """The t of each row. Raises RequestError for what excludes each other or could not be written."""
    suffix = args.out.suffix.lower()
    if suffix not in SUFFIXES:
        raise RequestError(f"--out must end in {', '.join(SUFFIXES)}, not {excerpt(args.out.name)}.")
    require_folder(args.out)
    require_mp4(suffix)
    if suffix in FILMS and args.batch < args.count:
        raise RequestError(f"A film shows all branches at once: set --batch to {args.count} or more.")
    at = whole_numbers(args.at, "--at")
    if not at:
        raise RequestError("--at names no t: write such as 600,400,200.")
    twice = [t for t, times in Counter(at).items() if times > 1]
    if twice:
        raise RequestError(f"--at names t = {twice[0]} more than once: a row for each t is enough.")
    if args.picture is None and args.refine is not None:
        raise RequestError("--refine is for the encoding of a --picture: leave it out.")
    for name in ("latents", "start", "eta"):
        if args.picture is not None and getattr(args, name) is not None:
            option = "trunk-eta" if name == "eta" else name
            raise RequestError(f"--picture is encoded up to each t, where its branches begin: leave out --{option}.")
    if args.start is not None and args.latents is None:
        raise RequestError(f"--start {args.start} needs the latents there: give --latents.")
    return at


def runs_of(args: argparse.Namespace, at: tuple[int, ...]) -> list[Run]:
    """A run for each t, not yet begun."""
    latents = None if args.latents is None else read_latents(args.latents)
    given = given_settings(args)
    if args.picture is not None:
        given = {"clip": False} | given
    settings, taken = settings_of(given, latents)
    request = Request((args.seed,), settings, start=args.start, branches=Branches(at[0], args.count, args.branch_eta))
    requests = [replace(request, branches=Branches(t, args.count, args.branch_eta)) for t in at]
    use_threads(args.threads)
    engine = Engine.open(args.checkpoint, args.device, args.precision, args.backend)
    require_room(args.out.suffix.lower(), args.count * len(at), engine.checkpoint.shape)
    for row in requests:  # before anything is computed
        engine.plan(row)
    if latents is not None:
        say_what_was_taken(latents, taken, engine.checkpoint.sha256)
    begins: list[Tensor | None] = [None if latents is None else latents.x_T] * len(at)
    if args.picture is not None:
        images = read_images([args.picture], engine.checkpoint.shape)
        begins = [engine.encode(images, settings, args.refine or 0, until=t).x_T for t in at]
        requests = [replace(row, start=t) for row, t in zip(requests, at, strict=True)]
    film = args.out.suffix.lower() in FILMS
    return [engine.run(row, x, args.batch, film) for row, x in zip(requests, begins, strict=True)]


def run(args: argparse.Namespace) -> None:
    """Come down, with a progress bar on stderr, write the rows, and say how much the branches of each differ."""
    at = check(args)
    runs, rows = runs_of(args, at), []
    with tqdm(total=sum(r.evaluations for r in runs), unit="step", disable=not sys.stderr.isatty(), leave=False) as bar:
        for row in runs:
            for _ in row:
                bar.update(1)
            differ = spread(row.images)
            film = [(frame.t, frame.x0_hat) for frame in row.film.frames] if row.film is not None else []
            rows.append(row_of(row.plan.request, row.pixels, differ, film))
    write_atomically(args.out, branches(args.out.suffix.lower(), [row.made for row in runs], rows, note_of(args, runs)))
    for t, row in zip(at, runs, strict=True):
        print(f"t = {t}: {args.count} branches, {spread(row.images):.4f} apart (rms, pixels 0..1)")
    evaluations, total_s = sum(row.evaluations for row in runs), sum(row.timing.total_s for row in runs)
    print(f"{args.out}: {args.count * len(runs)} pictures in {total_s:.2f} s, {evaluations} network evaluations")


def note_of(args: argparse.Namespace, runs: list[Run]) -> str:
    """What stands below the rows."""
    above = f"up from {args.picture.name[:40]}" if args.picture is not None else ""
    return tree_note(runs[0].plan.request, above)

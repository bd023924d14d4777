"""``python -m core evaluate``: figures of a checkpoint, cell by cell, and the page that shows them."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
import torch

from core.arguments import MAX_SEED, path_from, real_from, whole_from
from core.checkpoint import open_checkpoint, require_no_classes
from core.data.datasets import UInt8Array, load_images
from core.device import resolve_device
from core.engine import Engine
from core.errors import DataError, RequestError
from core.evaluate.cells import KINDS, SEEN_BY_NET, TO_DATA, WITH_TRAINING, Cell, cells, only
from core.evaluate.feature_net import FeatureNet, open_feature_net
from core.evaluate.setup import MAX_REFERENCE, Setup
from core.evaluate.store import Store
from core.folders import require_folder, require_place
from core.hub import locate
from core.inputs import why
from core.parallel import joined


def add_arguments(parser: argparse.ArgumentParser) -> None:
    about = "folder in diffusers' layout, or an id of the hub; several with --render"
    parser.add_argument("checkpoint", type=path_from, nargs="+", help=about)
    parser.add_argument("--what", default=",".join(KINDS), help="kinds of cells, with commas; default: all")
    parser.add_argument("--cells", help="only these, with commas, such as quality/eta=0/S=20")
    # under torchrun only --pictures: its own parser takes --n for a short form of --nnodes
    parser.add_argument(
        "--n",
        "--pictures",
        type=whole_from(1, 1_000_000),
        default=1000,
        help="pictures of a quality or denoising cell and of midpoints",
    )
    parser.add_argument(
        "--n-headline",
        type=whole_from(1, 1_000_000),
        help="pictures of a headline cell (η = 0 at 10 to 100 steps beside DDPM's); default: as --n",
    )
    parser.add_argument(
        "--n-rest", type=whole_from(1, 1_000_000), default=200, help="pictures of a reconstruction or consistency cell"
    )
    parser.add_argument(
        "--data", type=path_from, help="training pictures, as for train; the first 10,000 are the reference"
    )
    parser.add_argument("--held-out", type=path_from, help="pictures that were not trained on")
    parser.add_argument("--features", type=path_from, help="feature net; default: ../features/NAME.safetensors")
    parser.add_argument(
        "--budget", type=real_from(0, 1e6, above=True), metavar="MINUTES", help="begin no cell that would end later"
    )
    parser.add_argument("--out", type=path_from, help="the JSON; default: evaluation.json in the checkpoint's folder")
    parser.add_argument("--state", type=path_from, help="folder of unfinished work; default: ~/.cache/ddim-explorer")
    parser.add_argument("--redo", action="store_true", help="measure the chosen cells anew; finished parts are kept")
    parser.add_argument(
        "--seeds-from", type=whole_from(0, MAX_SEED - 10**9), default=100_000, help="the first seed; n follow"
    )
    parser.add_argument("--batch", type=whole_from(1, 1024), default=50, help="pictures in one network call")
    parser.add_argument("--chunk", type=whole_from(1, 100_000), default=100, help="pictures after which work is saved")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N, mps")
    parser.add_argument("--precision", default="auto", help="auto (fp32), fp32, bf16, fp16")
    parser.add_argument("--threads", type=whole_from(0, 1024), default=0, help="0: torch's choice")
    parser.add_argument(
        "--render", type=path_from, metavar="FILE.md", help="write this page from what is stored; run nothing"
    )


def run(args: argparse.Namespace) -> None:
    if args.render is not None:
        render(args)
        return
    if len(args.checkpoint) != 1:
        raise RequestError("Evaluate one checkpoint at a time; several go with --render.")
    if args.threads > 0:
        torch.set_num_threads(args.threads)
    with joined(str(resolve_device(args.device))) as (share, device):
        from core.evaluate.runner import evaluate  # these load what rendering a page never needs
        from core.evaluate.team import Team

        team = Team.of(share)
        setup, chosen, store = prepare(args, device)

        def say(line: str) -> None:
            if share.first:
                print(line, flush=True)

        budget_s = None if args.budget is None else 60 * args.budget
        evaluate(setup, chosen, store, team, budget_s, args.redo, say)
        if share.first and store.cells:
            from core.evaluate.plots import plot_all

            plots = plot_all(store.document, store.path.with_suffix(""))
            say(f"{store.path}: {len(store.cells)} cells" + "".join(f", {path.name}" for path in plots))


def out_path(args: argparse.Namespace, checkpoint: Path) -> Path:
    path = args.out or checkpoint / "evaluation.json"
    require_folder(path)
    return path


def prepare(args: argparse.Namespace, device: str) -> tuple[Setup, list[Cell], Store]:
    """Everything read and checked before the first network call."""
    located = locate(args.checkpoint[0])
    folder, engine = located.path, Engine.open(located.text, device, args.precision)
    require_no_classes(engine.checkpoint, "what is measured is the quality of pictures of all kinds together")
    what = [part.strip() for part in args.what.split(",") if part.strip()]
    chosen = cells(what, engine.T, args.n, args.n_rest, args.n_headline)
    if args.cells:
        chosen = only(chosen, [part.strip() for part in args.cells.split(",")])
    store = Store.open(out_path(args, folder), engine.checkpoint)
    kinds = {cell.kind for cell in chosen}
    measured = not kinds.isdisjoint(SEEN_BY_NET)
    net, sha = ruler_net(args, folder, engine) if measured else (None, None)
    needs_held_out = any(cell.held_out for cell in chosen)
    training = None if kinds.isdisjoint(WITH_TRAINING) else pictures(args.data, "--data", engine)
    held_out = pictures(args.held_out, "--held-out", engine) if needs_held_out else None
    state = args.state or Path.home() / ".cache" / "ddim-explorer"
    require_place(state)
    state = state / f"{engine.checkpoint.name}-{engine.checkpoint.sha256[:8]}"  # never another checkpoint's parts
    setup = Setup(
        engine=engine, state=state, net=net, features_sha256=sha, training=training, held_out=held_out,
        n_rest=args.n_rest, seeds_from=args.seeds_from, batch=args.batch, chunk=args.chunk,
    )  # fmt: skip
    for cell in chosen:  # fewer pictures than dimensions have no covariance
        if net is not None and cell.kind in TO_DATA and cell.n <= net.config.features:
            option = "--n" if cell.kind != "headline" or args.n_headline is None else "--n-headline"
            raise RequestError(
                f"{option} {cell.n} cannot fill {net.config.features} features: take more pictures than that."
            )
        if cell.held_out:
            setup.need_held_out(cell.n)
        if cell.kind == "denoising":
            setup.need_training(cell.n)
    return setup, chosen, store


def ruler_net(args: argparse.Namespace, folder: Path, engine: Engine) -> tuple[FeatureNet, str]:
    """(the feature net, sha256 of its file). Raises CheckpointError, also where it measures other pictures."""
    path = args.features or folder.parent / "features" / f"{folder.name}.safetensors"
    net, _ = open_feature_net(path)
    net.require(engine.checkpoint.shape)
    with path.open("rb") as file:
        return net, hashlib.file_digest(file, "sha256").hexdigest()


def pictures(path: Path | None, option: str, engine: Engine) -> UInt8Array:
    """The first MAX_REFERENCE pictures of a data file that fits the checkpoint."""
    if path is None:
        raise RequestError(f"These cells need pictures of the data: name them with {option}.")
    channels, size, _ = engine.checkpoint.shape
    images = load_images(path, size)
    if images.shape[1] != channels:
        raise RequestError(f"{path} has {images.shape[1]} channels, the checkpoint {channels}: name its own data.")
    return np.array(images[:MAX_REFERENCE])  # a copy: what is mapped from a file is read-only, which torch dislikes


def render(args: argparse.Namespace) -> None:
    """The page of one or more stored evaluations; its plots go into images/ beside it."""
    from core.evaluate.report import write_page
    from core.evaluate.store import read_document

    if args.out is not None and len(args.checkpoint) > 1:
        raise RequestError("--out names one JSON: with several checkpoints each is read from its own folder.")
    documents = []
    for folder in args.checkpoint:
        document = read_document(args.out or folder / "evaluation.json")
        if folder.is_dir() and open_checkpoint(folder).sha256 != document["checkpoint"]["sha256"]:
            raise RequestError(f"The figures of {folder} belong to other weights: evaluate it anew.")
        documents.append(document)
    require_folder(args.render)
    try:
        write_page(args.render, documents)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        if isinstance(error, RequestError):
            raise
        raise DataError(f"The stored figures are incomplete ({why(error)}): evaluate the checkpoint anew.") from error
    print(f"{args.render}: {len(documents)} checkpoints")

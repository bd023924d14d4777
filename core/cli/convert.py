"""``python -m core convert``: any checkpoint that opens, as a folder that this engine and diffusers open."""

from __future__ import annotations

import argparse

from core.arguments import path_from
from core.checkpoint import open_checkpoint, save_checkpoint
from core.folders import require_new


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=path_from, help="a layout that opens (docs/checkpoints.md), or an id of the hub")
    parser.add_argument(
        "target", type=path_from, help="a new folder for config, scheduler and safetensors, side by side"
    )


def run(args: argparse.Namespace) -> None:
    checkpoint = open_checkpoint(args.source)
    target = args.target
    require_new(target)
    state = checkpoint.load_network().state_dict()
    save_checkpoint(target, state, checkpoint.config, checkpoint.schedule, checkpoint.defaults)
    print(f"{target}, opens here and in diffusers")
    for note in checkpoint.notes:
        print(f"of {checkpoint.name}: {note}")

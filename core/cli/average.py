"""``python -m core average``: the mean of the weights of several checkpoints of one network, as a checkpoint.

Weights that stopped at two places of one valley have a mean nearer its floor (model soups, Wortsman et al. 2022): what
EMA does within a run, this does for legs that follow each other. Networks that were begun apart have no such mean.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch
from torch import Tensor

from core.arguments import path_from
from core.checkpoint import Checkpoint, open_checkpoint, save_checkpoint
from core.errors import DataError, RequestError
from core.folders import require_new


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sources", type=path_from, nargs="+", help="two or more: legs of one training; one given twice counts twice"
    )
    parser.add_argument("--out", type=path_from, required=True, help="a new folder")


def mean_weights(checkpoints: Sequence[Checkpoint]) -> dict[str, Tensor]:
    """The mean of each of their weights, fp32, summed in float64 in the order given. Raises DataError where network,
    noise schedule or what the network predicts differ: nothing lies between these."""
    first = checkpoints[0]
    sums = {name: weights.double() for name, weights in first.load_network().state_dict().items()}
    for other in checkpoints[1:]:
        for what, mine, theirs in (
            ("network", first.config, other.config),
            ("noise schedule", first.schedule, other.schedule),
            ("prediction or sampling", first.defaults, other.defaults),
        ):
            if mine != theirs:
                raise DataError(f"{other.path} and {first.path} differ in {what}: average legs of one training.")
        for name, weights in other.load_network().state_dict().items():
            sums[name] += weights.double()
    return {name: (total / len(checkpoints)).to(torch.float32) for name, total in sums.items()}


def run(args: argparse.Namespace) -> None:
    if len(args.sources) < 2:
        raise RequestError("A mean is of two checkpoints or more: name another one.")
    require_new(args.out)
    checkpoints = [open_checkpoint(source) for source in args.sources]
    first = checkpoints[0]
    save_checkpoint(args.out, mean_weights(checkpoints), first.config, first.schedule, first.defaults)
    print(f"{args.out}, the mean of {len(checkpoints)}")

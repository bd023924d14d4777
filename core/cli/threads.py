"""``--threads``: how many CPU threads torch may use."""

from __future__ import annotations

import argparse

import torch

from core.arguments import whole_from

MOST = 1024  # OpenMP ends the process where the system starts no more of them


def add_threads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--threads",
        type=whole_from(0, MOST),
        default=0,
        metavar="N",
        help="CPU threads; 0, the default: torch's choice",
    )


def use_threads(number: int) -> None:
    """Before any network runs: a thread that has computed already keeps the number it found."""
    if number > 0:
        torch.set_num_threads(number)

"""``--threads``: how many CPU threads torch may use."""

from __future__ import annotations

import argparse

import torch

MOST = 1024  # OpenMP ends the process where the system starts no more of them


def number_of_threads(text: str) -> int:
    """0 (torch's own choice) to MOST, or an error that argparse shows."""
    if not text.isdecimal() or len(text) > 9 or int(text) > MOST:
        raise argparse.ArgumentTypeError(f"give a whole number from 1 to {MOST}, or 0 for torch's choice")
    return int(text)


def add_threads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--threads", type=number_of_threads, default=0, metavar="N", help="CPU threads; default: torch's choice"
    )


def use_threads(number: int) -> None:
    """Before any network runs: a thread that has computed already keeps the number it found."""
    if number > 0:
        torch.set_num_threads(number)

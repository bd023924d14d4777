"""The options of ``app.py`` for a host: who may come in, what one visitor may take, what is logged. Without gradio."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import NamedTuple

from demo.limits import Limits
from demo.run_log import LEVELS

DEFAULTS = {"api_minutes": 10, "queue_size": 64, "api_pictures": 64, "api_megapixels": 300}
PUBLIC = {"api_minutes": 2, "queue_size": 16, "api_pictures": 16, "api_megapixels": 150}  # in front of strangers


class Hosting(NamedTuple):
    """public: in front of strangers. auth: (user, password) of the login, or None for no login."""

    public: bool
    api_minutes: int
    queue_size: int
    limits: Limits
    allow_checkpoints: Path | None
    auth: tuple[str, str] | None
    log_level: str


def at_least_1(text: str) -> int:
    """A flag's whole number, or an error that argparse shows."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"give a whole number of at least 1, not {text}.")
    return int(text)


def account(text: str) -> tuple[str, str]:
    """USER:PASSWORD, or an error that argparse shows, which must not repeat the password."""
    user, colon, password = text.partition(":")
    if not colon or not password or not user or user != user.strip():
        raise argparse.ArgumentTypeError("give USER:PASSWORD, neither of them empty.")
    return user, password


def add_options(parser: argparse.ArgumentParser) -> None:
    def limit(flag: str, unit: str) -> None:
        name = flag[2:].replace("-", "_")
        said = f"{unit}; default: {DEFAULTS[name]}, with --public {PUBLIC[name]}"
        parser.add_argument(flag, type=at_least_1, metavar="N", help=said)

    limit("--queue-size", "calls that may wait")
    limit("--api-minutes", "longest call of the API, by estimate")
    limit("--api-pictures", "pictures of one call")
    limit("--api-megapixels", "pictures × steps × pixels of one call, in millions")
    parser.add_argument(
        "--public", action="store_true",
        help="in front of strangers: lower limits, for the page too, and no path of this machine in any answer",
    )  # fmt: skip
    parser.add_argument(
        "--allow-checkpoints", type=Path, nargs="?", const=Path(), metavar="FOLDER",
        help="let visitors open checkpoints below a folder (default: the working folder), and ids of the hub",
    )  # fmt: skip
    parser.add_argument(
        "--auth",
        metavar="USER:PASSWORD",
        help="ask for a login; the variable DDIM_AUTH does not stand in process lists",
    )
    parser.add_argument(
        "--log-level", choices=LEVELS, default="warning", help="info: a line of JSON a run, on stderr; default: warning"
    )


def hosting(args: argparse.Namespace, parser: argparse.ArgumentParser) -> Hosting:
    """What the options ask for; parser.error() for those that exclude each other."""
    if args.public and args.allow_checkpoints is not None:
        parser.error("--public and --allow-checkpoints exclude each other: strangers must not name what is opened.")
    preset = PUBLIC if args.public else DEFAULTS
    chosen = {name: getattr(args, name) or preset[name] for name in preset}
    most = chosen["api_megapixels"]
    limits = Limits(chosen["api_pictures"], most, most if args.public else None)
    given, source = (args.auth, "--auth") if args.auth is not None else (os.environ.get("DDIM_AUTH"), "DDIM_AUTH")
    try:
        auth = None if given is None else account(given)
    except argparse.ArgumentTypeError as error:
        parser.error(f"{source}: {error}")
    return Hosting(
        args.public, chosen["api_minutes"], chosen["queue_size"], limits, args.allow_checkpoints, auth, args.log_level
    )

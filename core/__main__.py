"""``python -m core``: sample, interpolate, branch, info, convert, average, encode, faces, examples, train, features,
evaluate and bench.

Bad input ends with status 2 and one line."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import IO

from core.cli import average, branch, convert, encode, info
from core.cli import sample as commands
from core.cli.streams import LONGEST, guarded, one_line
from core.data import examples
from core.data import faces_command as faces
from core.errors import DDIMError
from core.evaluate import bench_command as bench
from core.evaluate import command as evaluate
from core.train import command as train
from core.train import features

HINT = " (--help lists the options)"


class _OneLineParser(argparse.ArgumentParser):
    """argparse prints its usage before an error; scripts want the one line that says the remedy."""

    def error(self, message: str) -> None:  # type: ignore[override]
        message = one_line(f"{self.prog}: {message}")  # argparse repeats what was given, whole
        self.exit(2, f"{message}{HINT if len(message) + len(HINT) < LONGEST else ''}\n")

    def _print_message(self, message: str, file: IO[str] | None = None) -> None:  # type: ignore[override]
        """As argparse, which passes over a full disk, or a reader that went away, in silence."""
        print(message, end="", file=file or sys.stderr)


def parser() -> argparse.ArgumentParser:
    root = _OneLineParser(prog="python -m core", description=__doc__)
    verbs = root.add_subparsers(dest="command", required=True, parser_class=_OneLineParser)
    sample = verbs.add_parser("sample", help="one picture for each seed")
    commands.add_common(sample, seeds="0-15")
    interpolate = verbs.add_parser("interpolate", help="a path through two or more latents, of seeds or of pictures")
    commands.add_common(interpolate, seeds="3,8")
    commands.add_interpolation(interpolate)
    for verb in (sample, interpolate):
        verb.set_defaults(run=commands.run)
    for name, module, does in (
        ("branch", branch, "come down several times from one x_t: what was still open at t"),
        ("info", info, "what a checkpoint is, what it costs, and what was inferred"),
        ("convert", convert, "write a checkpoint of another layout as ours"),
        ("average", average, "the mean of the weights of several legs of one training"),
        ("encode", encode, "find the latents of pictures of your own"),
        ("faces", faces, "draw the toon-face data set"),
        ("examples", examples, "lay held-out pictures beside a checkpoint, for the page to draw from"),
        ("train", train, "train a network on your own images"),
        ("features", features, "train the small net whose features measure pictures"),
        ("evaluate", evaluate, "measure a checkpoint: quality, errors, reconstruction, interpolation, speed and more"),
        ("bench", bench, "time the engine beside diffusers and the bare network"),
    ):
        verb = verbs.add_parser(name, help=does)
        module.add_arguments(verb)
        verb.set_defaults(run=module.run)
    return root


def main(argv: list[str] | None = None) -> int:
    try:
        reader = parser()
        args = reader.parse_args(argv)
        for name, value in vars(args).items():
            if value == []:  # argparse takes the -- of --device=-- away and leaves this
                reader.error(f"argument --{name.replace('_', '-')}: expected one argument")
    except SystemExit as stop:  # argparse has said why, or what --help asks for
        return int(stop.code or 0)
    try:
        args.run(args)
    except BrokenPipeError:  # of stdout: the files are written
        raise
    except DDIMError as error:
        return refused(args.command, str(error))
    except OSError as error:
        where = "" if error.filename is None else f": {error.filename}"
        return refused(args.command, f"{error.strerror or error}{where}")
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error):  # torch has no type for a CPU's
            raise
        return refused(args.command, "This machine's memory does not suffice: ask for fewer pictures, or less --batch.")
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return 0


def refused(verb: str, why: str) -> int:
    """Say it in one line; the exit status."""
    print(one_line(f"python -m core {verb}: {why}"), file=sys.stderr)
    return 2


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an orderly end leaves no part of a file
    sys.exit(guarded(main))

"""``python -m core``: sample, interpolate, branch, info, convert, encode, faces, train, features, evaluate, bench.

Bad input ends with status 2 and one line."""

from __future__ import annotations

import argparse
import sys

from core.cli import branch, convert, encode, info
from core.cli import sample as commands
from core.data import faces_command as faces
from core.errors import DDIMError
from core.evaluate import bench_command as bench
from core.evaluate import command as evaluate
from core.train import command as train
from core.train import features

LONGEST = 300  # characters of an error; the list of verbs and that of choices fit


class _OneLineParser(argparse.ArgumentParser):
    """argparse prints its usage before an error; scripts want the one line that says the remedy."""

    def error(self, message: str) -> None:  # type: ignore[override]
        message = " ".join(message.split())  # argparse repeats what was given, whole and with its line ends
        message = message if len(message) <= LONGEST else f"{message[:LONGEST]}…"
        self.exit(2, f"{self.prog}: {message} (--help lists the options)\n")


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
        ("encode", encode, "find the latents of pictures of your own"),
        ("faces", faces, "draw the toon-face data set"),
        ("train", train, "train a network on your own images"),
        ("features", features, "train the small net whose features measure pictures"),
        ("evaluate", evaluate, "measure a checkpoint: quality, reconstruction, consistency, interpolation, speed"),
        ("bench", bench, "time the engine beside diffusers and the bare network"),
    ):
        verb = verbs.add_parser(name, help=does)
        module.add_arguments(verb)
        verb.set_defaults(run=module.run)
    return root


def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    try:
        args.run(args)
    except DDIMError as error:
        print(f"python -m core {args.command}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"python -m core {args.command}: {error.strerror or error}: {error.filename}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

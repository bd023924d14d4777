"""``python -m core``: sample, interpolate, train. Bad input ends with status 2 and one line."""

from __future__ import annotations

import argparse
import sys

from core import commands
from core.errors import DDIMError
from core.train import command as train


class _OneLineParser(argparse.ArgumentParser):
    """argparse prints its usage before an error; scripts want the one line that says the remedy."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(2, f"{self.prog}: {message} (--help lists the options)\n")


def parser() -> argparse.ArgumentParser:
    root = _OneLineParser(prog="python -m core", description=__doc__)
    verbs = root.add_subparsers(dest="command", required=True, parser_class=_OneLineParser)
    commands.add_common(verbs.add_parser("sample", help="one picture for each seed"), seeds="0-15")
    interpolate = verbs.add_parser("interpolate", help="a path through the latents of two or more seeds")
    commands.add_common(interpolate, seeds="3,8")
    commands.add_interpolation(interpolate)
    train.add_arguments(verbs.add_parser("train", help="train a network on your own images"))
    return root


def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    try:
        (train.run if args.command == "train" else commands.run)(args)
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

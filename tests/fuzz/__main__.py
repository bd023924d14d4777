"""``python -m tests.fuzz cli|checkpoints|api|page --seconds N --seed S``: rounds of 200 cases, each from the next seed.

What is wrong is made as small as hypothesis can and printed with the seed of its round; --seed with that finds it
again.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import api, checkpoints, cli, folders, page
from .answers import site
from .drive import ROUND, round_of

parser = argparse.ArgumentParser(
    prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("what", choices=["cli", "checkpoints", "api", "page"])
parser.add_argument("--seconds", type=float, default=60)
parser.add_argument("--seed", type=int, default=0, help="of the first round; the next has the next")
args = parser.parse_args()


@contextlib.contextmanager
def boundary() -> Iterator[tuple[Any, Any, Any]]:
    """(cases, what runs one, how they all ended)."""
    if args.what in ("api", "page"):
        module = api if args.what == "api" else page
        with site() as here:
            yield module.CASES, lambda case: module.run(here, case), here.counts
        return
    with tempfile.TemporaryDirectory() as folder:
        if args.what == "cli":
            bench = cli.Bench.of(Path(folder))
            yield cli.CASES, bench.run, bench.counts
        else:
            spoilt = checkpoints.Bench.of(Path(folder))
            yield folders.cases(spoilt.good), spoilt.run, spoilt.counts


failed, tried, number = 0, 0, args.seed
with boundary() as (cases, run, counts):
    started = time.monotonic()
    while time.monotonic() < started + args.seconds:
        found = round_of(cases, run, number, ROUND, started + args.seconds)
        tried += found.tried
        if found.wrong is not None:
            failed += 1
            again = " (not every time)" if found.flaky else ""
            print(f"seed {number}{again}: {found.wrong}".encode("utf-8", "backslashreplace").decode(), flush=True)
        number += 1
    seconds = time.monotonic() - started
    ends = f"{tried} cases in {seconds:.0f} s, seeds {args.seed} to {number - 1}, {failed} wrong; {counts()}"
    print(ends.encode("utf-8", "backslashreplace").decode())
sys.exit(1 if failed else 0)

"""``python -m tests.fuzz cli|api|page --seconds N --seed S``: for N seconds; a case that fails is named by its seed."""

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from . import api, page
from .answers import site
from .cli import Bench

parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
parser.add_argument("what", choices=["cli", "api", "page"])
parser.add_argument("--seconds", type=float, default=60)
parser.add_argument("--seed", type=int, default=0, help="of the first case; the next has the next")
args = parser.parse_args()


@contextlib.contextmanager
def cases() -> Iterator[tuple[Callable[[int], Any], Callable[[], str]]]:
    """(a case by its seed, how they all ended)."""
    if args.what == "cli":
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench.of(Path(folder))
            yield bench.run, bench.counts
    else:
        with site() as here:
            yield (lambda seed: (api if args.what == "api" else page).run(here, seed)), here.counts


failed, seed = 0, args.seed
with cases() as (run, counts):
    end = time.monotonic() + args.seconds
    while time.monotonic() < end:
        found = run(seed)
        if found.wrong:
            failed += 1
            print(f"seed {seed}: {found}".encode("utf-8", "backslashreplace").decode(), flush=True)
        seed += 1
    print(f"{seed - args.seed} cases from seed {args.seed}, {failed} wrong; {counts()}")
sys.exit(1 if failed else 0)

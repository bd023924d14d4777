"""``python -m tests.fuzz cli --seconds N --seed S``: go on for N seconds; a case that fails is named by its seed."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from .cli import Bench

parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
parser.add_argument("what", choices=["cli"])
parser.add_argument("--seconds", type=float, default=60)
parser.add_argument("--seed", type=int, default=0, help="of the first case; the next has the next")
args = parser.parse_args()

failed, seed, end = 0, args.seed, time.monotonic() + args.seconds
with tempfile.TemporaryDirectory() as folder:
    bench = Bench.of(Path(folder))
    while time.monotonic() < end:
        found = bench.run(seed)
        if found.wrong:
            failed += 1
            print(f"seed {seed}: {found}", flush=True)
        seed += 1
    print(f"{seed - args.seed} cases from seed {args.seed}, {failed} wrong; {bench.counts()}")
sys.exit(1 if failed else 0)

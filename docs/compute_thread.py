"""``python docs/compute_thread.py CHECKPOINT``: what a network evaluation takes on the main thread and on another one.

Each in a process of its own, alternated. Prints the table of docs/decisions/0014-compute-thread.md.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core import Engine, Request, SamplerSettings  # from a checkout, not installed

BATCHES, STEPS, REPEATS, ROUNDS = (1, 2, 4, 8, 16), 8, 5, 2


def measure(checkpoint: str) -> None:
    """Print the median milliseconds of one evaluation at each batch."""
    engine = Engine.open(checkpoint, "cpu")
    for batch in BATCHES:
        request = Request(tuple(range(batch)), SamplerSettings(steps=STEPS))
        times = [engine.sample(request).timing.ms_per_evaluation for _ in range(REPEATS)]
        print(statistics.median(times))


def main() -> None:
    if sys.argv[1] in ("main", "other"):
        if sys.argv[1] == "main":
            measure(sys.argv[2])
        else:
            thread = threading.Thread(target=measure, args=(sys.argv[2],))
            thread.start()
            thread.join()
        return
    rows: dict[str, list[list[float]]] = {"main": [], "other": []}
    for _ in range(ROUNDS):
        for where, found in rows.items():
            done = subprocess.run(
                [sys.executable, __file__, where, sys.argv[1]], capture_output=True, text=True, check=True
            )
            found.append([float(line) for line in done.stdout.split()])
    print("| batch | main thread, ms | another thread, ms | times |\n|---|---|---|---|")
    for i, batch in enumerate(BATCHES):
        here, there = (statistics.median(run[i] for run in rows[where]) for where in ("main", "other"))
        print(f"| {batch} | {here:.1f} | {there:.1f} | {there / here:.2f} |")


if __name__ == "__main__":
    main()

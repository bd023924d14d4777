"""``python docs/compute_thread.py CHECKPOINT``: what a network evaluation takes on the thread that loaded the network
and on a second one, by how long torch's threads spin, on an idle machine and beside one busy process a processor.

Each in a process of its own. Prints the table of docs/decisions/0014-compute-thread.md.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core import Engine, Request, SamplerSettings  # from a checkout, not installed

BATCHES, STEPS, REPEATS, LIMIT_S = (1, 8), 4, 5, 120
DEFAULT = "300000"  # GNU OpenMP's own; core sets another where the environment has none
WAYS = (("loader", "8000"), ("loader", "3000"), ("loader", DEFAULT), ("second", DEFAULT))


def measure(engine: Engine) -> None:
    """Print the median milliseconds of one evaluation at each batch."""
    for batch in BATCHES:
        request = Request(tuple(range(batch)), SamplerSettings(steps=STEPS))
        times = [engine.sample(request).timing.ms_per_evaluation for _ in range(REPEATS)]
        print(statistics.median(times))


def measured(checkpoint: str, thread: str, spins: str) -> list[str]:
    """The same from a process of its own, as text; what takes longer than LIMIT_S is not waited for."""
    env = {**os.environ, "GOMP_SPINCOUNT": spins}
    command = [sys.executable, __file__, thread, checkpoint]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=env, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return [f"over {1000 * LIMIT_S // (REPEATS * STEPS * len(BATCHES))}"] * len(BATCHES)
    return [f"{float(line):.0f}" for line in done.stdout.split()]


def main() -> None:
    if sys.argv[1] == "loader":
        measure(Engine.open(sys.argv[2], "cpu"))
    elif sys.argv[1] == "second":
        thread = threading.Thread(target=measure, args=(Engine.open(sys.argv[2], "cpu"),))
        thread.start()
        thread.join()
    else:
        table(sys.argv[1])


def table(checkpoint: str) -> None:
    print("| thread | GOMP_SPINCOUNT | idle: batch 1, 8 | busy: batch 1, 8 |\n|---|---|---|---|")
    found: dict[tuple[str, str], list[str]] = {way: [] for way in WAYS}
    for busy in (0, os.cpu_count() or 1):
        others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
        try:
            for way, cells in found.items():
                cells.append(", ".join(measured(checkpoint, *way)) + " ms")
        finally:
            for other in others:
                other.kill()
    for (thread, spins), cells in found.items():
        print(f"| {thread} | {'default' if spins == DEFAULT else spins} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()

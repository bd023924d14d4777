"""``python docs/backend_speed.py CHECKPOINT [--busy N] [--ways torch/onnx/…] [--batches 1,16]``: torch beside ONNX
Runtime on the CPU, in turns of a few evaluations each so that a change of the machine meets all alike.

--busy: that many processes run an empty loop meanwhile. Prints what docs/performance.md shows.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # from a checkout, not installed
os.environ.setdefault("GOMP_SPINCOUNT", "8000")  # as app.py does; read when torch is loaded

import torch

from core import open_checkpoint
from core.backends.onnx_backend import OnnxNetwork
from core.backends.onnx_export import export

SPIN = "session.intra_op.allow_spinning"
ENTRIES = {
    "onnx": {},
    "onnx, no spinning": {SPIN: "0"},
    "onnx, spins as by default": {"session.intra_op.spin_duration_us": "-1"},
    "onnx, spins 200 us": {"session.intra_op.spin_duration_us": "200"},
    "onnx, stops spinning": {"session.force_spinning_stop": "1"},
    "onnx, denormals are zero": {"session.set_denormal_as_zero": "1"},
    "onnx, one batch": {},
    "onnx, no arena": {},
}
EACH, SECONDS = 4, 20.0  # evaluations in a turn; for all ways of one batch together


class Way(OnnxNetwork):
    """OnnxNetwork with other session options."""

    def __init__(self, model: bytes, threads: int, name: str) -> None:
        super().__init__(model, threads)
        self._runtime.set_default_logger_severity(3)  # it warns of an option that is set again
        self.name = name

    def _plan(self, batch: int) -> list[tuple[int, list[slice]]]:
        if self.name == "onnx, one batch":  # all threads on all pictures together
            return [(self._threads, [slice(0, batch)])]
        return super()._plan(batch)

    def _options(self, pictures: int, times: int, threads: int) -> Any:
        options = super()._options(pictures, times, threads)
        options.enable_cpu_mem_arena = self.name != "onnx, no arena"
        for entry in ENTRIES[self.name].items():
            options.add_session_config_entry(*entry)
        return options


def timed(call: Callable[[], object]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - start)


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("--ways", default="torch/onnx", help="of torch, " + ", ".join(ENTRIES) + "; with / between")
    parser.add_argument("--batches", default="1,16")
    args = parser.parse_args()
    threads = os.cpu_count() or 1
    torch.set_num_threads(threads)
    checkpoint = open_checkpoint(args.checkpoint)
    unet = checkpoint.load_network().to(memory_format=torch.channels_last)
    models: list[bytes] = []
    print(f"export {timed(lambda: models.append(export(unet))):.0f} ms, {len(models[0]) / 1e6:.1f} MB")
    ways: dict[str, Any] = {}
    for name in args.ways.split("/"):
        ways[name] = unet if name == "torch" else Way(models[0], threads, name)
        if name == "onnx":
            print(f"session {timed(lambda: ways['onnx'].prepare(1)):.0f} ms")
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(args.busy)]
    try:
        for batch in map(int, args.batches.split(",")):
            x = torch.randn(batch, *checkpoint.shape).contiguous(memory_format=torch.channels_last)
            times: dict[str, list[float]] = {name: [] for name in ways}
            end = time.perf_counter() + SECONDS
            while time.perf_counter() < end:
                for name, network in ways.items():
                    call = partial(network, x, 500)
                    call()  # untimed: the other's threads come to rest
                    times[name] += [timed(call) for _ in range(EACH)]
            first = next(iter(times.values()))
            for name, found in times.items():
                low, mid = min(found), statistics.median(found)
                ratios = f"{low / min(first):.2f}, {mid / statistics.median(first):.2f}"
                where = f"batch {batch:2d}, busy {args.busy}, {name:24s} n = {len(found):3d}"
                print(f"{where}: min {low:6.1f}, median {mid:6.1f} ms, ratios {ratios}", flush=True)
    finally:
        for other in others:
            other.kill()


if __name__ == "__main__":
    main()

"""``python docs/backend_start.py CHECKPOINT``: what it takes to begin with ONNX Runtime: milliseconds, the longest time
for which another Python thread could not run meanwhile (who holds the interpreter's lock), and memory.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # from a checkout, not installed

import torch

from core import open_checkpoint
from core.backends.export_cache import cached_export
from core.backends.onnx_backend import OnnxNetwork, load_runtime
from core.backends.onnx_export import export


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


class Watch(threading.Thread):
    """Wakes every half millisecond and notes how late it was."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.late: list[float] = []

    def run(self) -> None:
        last = time.perf_counter()
        while True:
            time.sleep(0.0005)
            now = time.perf_counter()
            self.late.append(1000 * (now - last))
            last = now


def main() -> None:
    watch = Watch()
    watch.start()

    def measured(what: str, call: Callable[[], object]) -> None:
        watch.late, before, start = [], resident_mb(), time.perf_counter()
        call()
        took = 1000 * (time.perf_counter() - start)
        time.sleep(0.01)
        print(f"{what:24s} {took:5.0f} ms, others wait {max(watch.late):4.0f} ms, {resident_mb() - before:+5.0f} MB")

    measured("import onnxruntime", load_runtime)
    unet = open_checkpoint(sys.argv[1]).network
    model = export(unet)
    measured("export", lambda: export(unet))
    with tempfile.TemporaryDirectory() as folder:
        measured("cache, not there", lambda: cached_export("key", lambda: model, Path(folder)))
        measured("cache, there", lambda: cached_export("key", lambda: model, Path(folder)))
    network = OnnxNetwork(model, os.cpu_count() or 1)
    side = unet.config.sample_size
    for batch in (1, 2, 4, 16, 64):
        x = torch.zeros(batch, unet.config.in_channels, side, side)
        measured(f"sessions for {batch}", lambda batch=batch: network.prepare(batch))  # type: ignore[misc]
        measured(f"first evaluation of {batch}", lambda x=x: network(x, 5))  # type: ignore[misc]
    with torch.inference_mode():
        measured("torch, evaluation of 64", lambda: unet(x, 5))


if __name__ == "__main__":
    main()

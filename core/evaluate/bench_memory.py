"""Peak memory of one run, each in a process of its own: a peak never falls again within one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import torch

from core.errors import NetworkError


def peak_bytes(status: Path = Path("/proc/self/status")) -> int:
    """The most memory this process had resident. On Linux VmHWM: getrusage's maximum is inherited from the parent."""
    if status.is_file():
        line = next(x for x in status.read_text(encoding="utf-8").splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def run_once(
    contender: str,
    folder: str,
    device: str,
    precision: str,
    steps: int,
    batch: int,
    threads: int,
    backend: str,
) -> None:
    """The child process: open, make one batch, print {"peak_bytes", "device_bytes"}."""
    from core.engine import Engine
    from core.evaluate.bench import DIFFUSERS, contenders, diffusers_pipeline

    torch.set_num_threads(threads)
    engine = Engine.open(folder, device, precision, backend)
    pipeline = diffusers_pipeline(Path(folder), engine.device, precision) if contender == DIFFUSERS else None
    contenders(engine, pipeline, steps, batch)[contender]()
    cuda = engine.device.type == "cuda"
    found = {"peak_bytes": peak_bytes(), "device_bytes": torch.cuda.max_memory_allocated() if cuda else None}
    print(json.dumps(found))


def measure(
    contender: str, folder: Path, device: str, precision: str, steps: int, batch: int, backend: str = "auto"
) -> dict[str, int | None]:
    """peak_bytes resident in host memory, device_bytes on a GPU. Raises NetworkError with the child's last line."""
    arguments = json.dumps([contender, str(folder), device, precision, steps, batch, torch.get_num_threads(), backend])
    code = f"import json; from core.evaluate.bench_memory import run_once; run_once(*json.loads({arguments!r}))"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise NetworkError(f"Measuring the memory of {contender} at batch {batch} failed ({last}): try a smaller one.")
    return dict(json.loads(done.stdout.splitlines()[-1]))

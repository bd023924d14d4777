"""Which machine measured: names that a reader can compare with their own."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import numpy as np
import torch

from core.device import device_name


def processor() -> str:
    """The processor's own name where the system tells it, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def machine(device: torch.device) -> dict[str, object]:
    """device, its name, processor, cores of the machine, threads that torch uses, system."""
    return {
        "device": str(device),
        "device_name": device_name(device),
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    return {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}


def described(found: dict[str, object]) -> str:
    """One line for a page."""
    threads = "1 thread" if found["threads"] == 1 else f"{found['threads']} threads"
    where = f"{found['processor']}, {found['cores']} cores, {threads} used"
    return where if str(found["device"]).startswith("cpu") else f"{found['device_name']} ({where})"

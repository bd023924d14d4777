"""Which device and precision a run really uses: "auto" becomes a name that is recorded."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable

import torch
from torch.nn.functional import conv2d

from core.errors import RequestError
from core.plain_numbers import excerpt

PRECISIONS = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
"""Precision → dtype of the U-Net's inner layers (None: fp32 throughout)."""


def resolve_device(device: str) -> torch.device:
    """Auto is cuda, then mps, then cpu. Raises RequestError for a device this machine lacks."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        resolved = torch.device(device)
    except RuntimeError as error:
        raise RequestError(f"Unknown device {excerpt(device)}: use auto, cpu, cuda, cuda:N or mps.") from error
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (resolved.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(resolved.type, False):
        raise RequestError(f"This machine has no usable {excerpt(device)}: use --device cpu or auto.")
    return resolved


def resolve_precision(precision: str, device: torch.device) -> str:
    """Auto is fp32 everywhere (docs/decisions/0003-precision.md): exact figures unless asked otherwise."""
    if precision == "auto":
        return "fp32"
    if precision not in PRECISIONS:
        raise RequestError(f"precision must be auto, fp32, bf16 or fp16, not {excerpt(precision)}.")
    if precision == "fp16" and device.type == "cpu":
        raise RequestError("fp16 is slow and coarse on a CPU: use fp32 or bf16.")
    return precision


def bf16_cost(device: torch.device, seconds: Callable[[], float] = time.perf_counter) -> float:
    """How many times as long as in fp32 a convolution of a U-Net's size takes in bfloat16, measured; 1 off the CPU.

    The processor's flags do not tell: of two with avx512_bf16 one was faster with it and one took 1.8 times as long;
    one without takes up to a hundred times.
    """
    if device.type != "cpu":
        return 1.0
    taken = []
    for dtype in (torch.float32, torch.bfloat16):
        x = torch.ones(4, 64, 32, 32, dtype=dtype).to(memory_format=torch.channels_last)
        weight = torch.ones(64, 64, 3, 3, dtype=dtype).to(memory_format=torch.channels_last)
        runs = []
        with torch.inference_mode():
            for _ in range(6):  # the first makes the kernel; the least is the one that nothing else delayed
                began = seconds()
                conv2d(x, weight, padding=1)
                runs.append(seconds() - began)
        taken.append(min(runs))
    return taken[1] / taken[0]


def device_name(device: torch.device) -> str:
    """What a person calls it, such as "NVIDIA H200" or the processor's architecture."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} {platform.machine()}"

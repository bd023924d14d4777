"""Which device and precision a run really uses: "auto" becomes a name that is recorded."""

from __future__ import annotations

import platform

import torch

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


def emulates_bf16(device: torch.device) -> bool:
    """Whether bfloat16 is computed in software there, which takes up to a hundred times as long as fp32."""
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    return not torch.ops.mkldnn._is_mkldnn_bf16_supported()


def device_name(device: torch.device) -> str:
    """What a person calls it, such as "NVIDIA H200" or the processor's architecture."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} {platform.machine()}"

"""Ways to compute a checkpoint's network. A further one is a file here, a line in ``BACKENDS`` and its test.

A backend says whether it can serve a device and precision, and makes a network there. ``auto`` takes the first that
can; which one it was stands in every timing and record.
"""

from __future__ import annotations

import os
from typing import Protocol

import torch

from core.backends.onnx_backend import OnnxBackend
from core.backends.placed import PlacedNetwork
from core.backends.torch_backend import TorchBackend
from core.checkpoint import Checkpoint
from core.errors import BackendError, RequestError


class Backend(Protocol):
    name: str

    def why_not(self, device: torch.device, precision: str) -> str | None:
        """A sentence why this machine cannot have it there, or None."""

    def open(self, checkpoint: Checkpoint, device: torch.device, precision: str) -> PlacedNetwork:
        """A network of its own. Raises BackendError where this network cannot be had, CheckpointError for weights that
        cannot be read."""


BACKENDS: dict[str, Backend] = {backend.name: backend for backend in (OnnxBackend(), TorchBackend())}
"""By name, the one that ``auto`` prefers first. torch, the last, serves everything."""

CHOICE = "DDIM_BACKEND"
"""The environment variable that says what ``auto`` means on this machine."""


def open_network(checkpoint: Checkpoint, device: torch.device, precision: str, backend: str = "auto") -> PlacedNetwork:
    """The network of a checkpoint by the backend of this name, or by the first that can. Raises RequestError for one
    that is unknown or cannot be had, CheckpointError for weights that cannot be read."""
    if backend == "auto":
        backend = os.environ.get(CHOICE) or "auto"
    if backend == "auto":
        return _first(checkpoint, device, precision)
    if backend not in BACKENDS:
        raise RequestError(f"backend must be auto, {' or '.join(BACKENDS)}, not {backend[:40]!r}.")
    reason = BACKENDS[backend].why_not(device, precision)
    if reason is not None:
        raise RequestError(reason)
    return BACKENDS[backend].open(checkpoint, device, precision)


def _first(checkpoint: Checkpoint, device: torch.device, precision: str) -> PlacedNetwork:
    *others, torch_ = BACKENDS.values()
    for candidate in others:
        if candidate.why_not(device, precision) is None:
            try:
                return candidate.open(checkpoint, device, precision)
            except BackendError:  # a network that it cannot have; torch can
                continue
    return torch_.open(checkpoint, device, precision)


def instead_of(device: torch.device, precision: str) -> str | None:
    """Why ``auto`` has to do without a faster backend on this CPU, in a sentence; None where it has not to."""
    if device.type != "cpu" or precision != "fp32":
        return None
    reasons = (backend.why_not(device, precision) for backend in BACKENDS.values())
    return next((reason for reason in reasons if reason is not None), None)

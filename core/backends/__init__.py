"""Ways to compute a checkpoint's network. A further one is a file here, a line in ``BACKENDS`` and its test.

A backend says whether it can serve a device and precision, and makes a network there. ``auto`` takes the fastest one
that can answer at once; which one it was stands in every timing and record.
"""

from __future__ import annotations

from typing import Protocol

import torch

from core.backends.placed import PlacedNetwork
from core.backends.torch_backend import TorchBackend
from core.checkpoint import Checkpoint
from core.errors import RequestError


class Backend(Protocol):
    name: str

    def why_not(self, device: torch.device, precision: str) -> str | None:
        """A sentence why this machine cannot have it there, or None."""

    def ready(self, checkpoint: Checkpoint) -> bool:
        """Whether ``open`` answers at once, with nothing to be made first."""

    def open(self, checkpoint: Checkpoint, device: torch.device, precision: str) -> PlacedNetwork:
        """A network of its own; what has to be made for it first is made. Raises DDIMError."""


BACKENDS: dict[str, Backend] = {backend.name: backend for backend in (TorchBackend(),)}
"""By name, the one that ``auto`` prefers first."""


def open_network(checkpoint: Checkpoint, device: torch.device, precision: str, backend: str = "auto") -> PlacedNetwork:
    """The network of a checkpoint by the backend of this name, or by the first that is ready. Raises RequestError for
    one that is unknown or cannot be had, CheckpointError for weights that cannot be read."""
    if backend == "auto":
        for candidate in BACKENDS.values():
            if candidate.why_not(device, precision) is None and candidate.ready(checkpoint):
                return candidate.open(checkpoint, device, precision)
    if backend not in BACKENDS:
        raise RequestError(f"backend must be auto, {' or '.join(BACKENDS)}, not {backend[:40]!r}.")
    reason = BACKENDS[backend].why_not(device, precision)
    if reason is not None:
        raise RequestError(reason)
    return BACKENDS[backend].open(checkpoint, device, precision)

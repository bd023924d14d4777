"""Time spent inside the sampler, and the check for NaN, without stalling a GPU.

On the CPU (and mps, which is synchronised) each step is timed as it happens. On CUDA, steps are
timed by events and at most two are in flight: enough to keep the GPU busy, few enough that a run
which is closed ends at once. A slow consumer of the generator never counts.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Protocol

import torch
from torch import Tensor

from core.errors import NetworkError

IN_FLIGHT = 2


class Clock(Protocol):
    def start(self) -> None:
        """A step begins."""

    def network_done(self) -> None:
        """The network has been asked (and on a CPU has answered)."""

    def stop(self, finite: Tensor, t: int, last: bool) -> tuple[float, float]:
        """The step ends: (elapsed_s, network_s) of all finished steps. Raises NetworkError if not finite."""


def require_finite(finite: Tensor, t: int) -> None:
    if not bool(finite):
        raise NetworkError(
            f"The network returned NaN or infinity at t = {t}: try precision fp32, or check the checkpoint."
        )


class HostClock:
    """perf_counter, after a synchronisation where the device needs one."""

    def __init__(self, device: torch.device) -> None:
        self._sync = torch.mps.synchronize if device.type == "mps" else (lambda: None)
        self._elapsed = self._network = self._start = 0.0

    def start(self) -> None:
        self._start = time.perf_counter()

    def network_done(self) -> None:
        self._sync()
        self._network += time.perf_counter() - self._start

    def stop(self, finite: Tensor, t: int, last: bool) -> tuple[float, float]:
        require_finite(finite, t)  # reading the flag synchronises
        self._elapsed += time.perf_counter() - self._start
        return self._elapsed, self._network


class CudaClock:
    """Three events a step: begin, network, end."""

    def __init__(self, device: torch.device) -> None:
        self._stream = torch.cuda.current_stream(device)
        self._pending: deque[tuple[list[torch.cuda.Event], Tensor, int]] = deque()
        self._elapsed = self._network = 0.0
        self._events: list[torch.cuda.Event] = []

    def _mark(self) -> None:
        event = torch.cuda.Event(enable_timing=True)
        event.record(self._stream)
        self._events.append(event)

    def start(self) -> None:
        self._events = []
        self._mark()

    def network_done(self) -> None:
        self._mark()

    def stop(self, finite: Tensor, t: int, last: bool) -> tuple[float, float]:
        flag = torch.empty((), dtype=torch.bool, pin_memory=True)
        flag.copy_(finite, non_blocking=True)  # before the event: reading it later waits for no other step
        self._mark()
        self._pending.append((self._events, flag, t))
        while len(self._pending) > (0 if last else IN_FLIGHT):
            (begin, network, end), flag, at = self._pending.popleft()
            end.synchronize()
            require_finite(flag, at)
            self._elapsed += begin.elapsed_time(end) / 1000
            self._network += begin.elapsed_time(network) / 1000
        return self._elapsed, self._network


def make_clock(device: torch.device) -> Clock:
    return CudaClock(device) if device.type == "cuda" else HostClock(device)

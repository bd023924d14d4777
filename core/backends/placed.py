"""A network where it is computed: what a run asks, and what its timing names."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from core.device import device_name
from core.sampler import Network


@dataclass(frozen=True)
class Place:
    """Where and how a network was computed. device: such as "cuda:0"; device_name: what people call it. precision:
    fp32, bf16 or fp16. backend: one of core.backends.BACKENDS. threads: of the CPU."""

    device: str
    device_name: str
    precision: str
    backend: str
    threads: int


class PlacedNetwork:
    """``network`` may be called from one thread at a time, with x (N, C, H, W) on ``device``."""

    def __init__(
        self, network: Network, backend: str, device: torch.device, precision: str,
        memory_format: torch.memory_format = torch.channels_last, threads: int | None = None,
        classes: int | None = None,
    ) -> None:  # fmt: skip
        """memory_format: of x, as the network reads it fastest. threads: its own number; None for torch's.
        classes: of a network that takes a label as well, which ``labelled`` gives it."""
        self.network, self.backend, self.device, self.precision = network, backend, device, precision
        self._memory_format, self._threads, self._classes = memory_format, threads, classes
        self._warm: set[int] = set()
        self._warming = threading.Lock()

    @property
    def place(self) -> Place:
        """As it is now: torch's number of threads may be changed between two runs."""
        threads = torch.get_num_threads() if self._threads is None else self._threads
        return Place(str(self.device), device_name(self.device), self.precision, self.backend, threads)

    def labelled(self, label: int | None) -> Network:
        """The network as runs call it, (x, t) → prediction, with the class of all its pictures; None where there are
        no classes."""
        return self.network if label is None else partial(self.network, label=label)  # type: ignore[call-arg]

    def to_device(self, x: Tensor) -> Tensor:
        """A batch (N, C, H, W) where and how this network wants it."""
        return x.to(self.device).contiguous(memory_format=self._memory_format)

    @torch.inference_mode()
    def warm_up(self, batch: int, shape: tuple[int, int, int]) -> None:
        """Ask once at a new batch size, untimed: kernels are chosen on the first call."""
        with self._warming:
            if batch not in self._warm:
                self.labelled(None if self._classes is None else 0)(self.to_device(torch.zeros(batch, *shape)), 0)
                self._warm.add(batch)

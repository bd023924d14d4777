"""Several processes, one training run: torchrun starts them, DistributedDataParallel averages their gradients.

Every process knows the whole batch of a step (it follows from the seed) and takes its share of the rows.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from core.errors import RequestError


@dataclass(frozen=True)
class Share:
    """This process's place: rank 0..world−1, and its number on this machine."""

    rank: int = 0
    world: int = 1
    local: int = 0

    @property
    def first(self) -> bool:
        """Whether this process writes the files and the log."""
        return self.rank == 0

    def of(self, rows: int) -> slice:
        """This process's rows of a batch. Raises RequestError where they cannot be shared equally."""
        if rows % self.world:
            raise RequestError(
                f"--batch {rows} cannot be shared equally by {self.world} processes: make it a multiple."
            )
        each = rows // self.world
        return slice(self.rank * each, (self.rank + 1) * each)

    def mean(self, value: Tensor) -> float:
        """Mean of a scalar over the processes."""
        if self.world > 1:
            dist.all_reduce(value)
        return value.item() / self.world

    def makes(self, i: int) -> bool:
        """Whether the i-th of the things that each is made by one process is this one's."""
        return i % self.world == self.rank

    def send(self, made: Tensor, i: int) -> None:
        """Give the i-th (contiguous) to the others; theirs of the same shape is overwritten."""
        if self.world > 1:
            dist.broadcast(made, src=i % self.world)


@contextmanager
def joined(device: str) -> Iterator[tuple[Share, str]]:
    """(this process's share, its device). Alone unless torchrun set WORLD_SIZE: nccl on GPUs, else gloo."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Share(), device
        return
    local = int(os.environ["LOCAL_RANK"])
    if device == "cuda":
        device = f"cuda:{local}"
        torch.cuda.set_device(local)
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield Share(dist.get_rank(), world, local), device
    finally:
        dist.destroy_process_group()

"""What a network costs, counted on tensors without storage: nothing is computed and no memory is asked for."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from core.unet import UNet
from core.unet_config import UNetConfig

BYTES = 4  # of one number in fp32


@dataclass(frozen=True)
class Cost:
    """parameters: how many. flop: of one picture asked once, a multiplication and an addition counted as two.
    activations: bytes that live at once while one picture is asked in fp32, besides the weights."""

    parameters: int
    flop: int
    activations: int

    def memory(self, batch: int) -> int:
        """Bytes of weights and activations of a batch in fp32."""
        return BYTES * self.parameters + batch * self.activations


class _Living(TorchDispatchMode):
    """The most bytes of results that were alive at one time."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.most = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, (tuple, list)) else (out,):
            if isinstance(tensor, Tensor):
                self._follow(tensor.untyped_storage())
        return out

    def _follow(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._seen:  # a view
            return
        self._seen.add(key)
        self.now += size
        self.most = max(self.most, self.now)
        weakref.finalize(storage, self._gone, key, size)

    def _gone(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self.now -= size


def cost_of(config: UNetConfig) -> Cost:
    """Of one picture, by a forward pass on the meta device."""
    with torch.device("meta"), torch.inference_mode():
        network = UNet(config).eval()
        x, t = torch.empty(1, config.in_channels, *config.size), torch.empty(1)
        label = None if config.num_class_embeds is None else torch.zeros(1, dtype=torch.long)
        with FlopCounterMode(display=False) as counter:
            network(x, t, label)
        with _Living() as living:
            network(x, t, label)
    parameters = sum(p.numel() for p in network.parameters())
    return Cost(parameters, counter.get_total_flops(), living.most)

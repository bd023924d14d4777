"""torch in its eager mode: every device and precision, at once."""

from __future__ import annotations

import torch

from core.backends.placed import PlacedNetwork
from core.checkpoint import Checkpoint
from core.device import PRECISIONS


class TorchBackend:
    name = "torch"

    def why_not(self, device: torch.device, precision: str) -> None:
        return None

    def open(self, checkpoint: Checkpoint, device: torch.device, precision: str) -> PlacedNetwork:
        network = checkpoint.load_network().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        network.inner_dtype = PRECISIONS[precision]
        return PlacedNetwork(network, self.name, device, precision, classes=checkpoint.config.num_class_embeds)

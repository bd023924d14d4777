"""How many pictures at once a network has memory for, by counting before anything is asked for."""

from __future__ import annotations

from pathlib import Path

import torch

from core.cost import cost_of
from core.unet_config import UNetConfig

AT_ONCE = 8  # more at a time are no faster on a CPU, and a newer change waits for a call to end
SHARE = 0.5  # of what is free; a backend's buffers, and other programs, need theirs
SMALL = 64 * 64  # pixels of networks that always fit, and for which opening need not wait


def free_memory(device: torch.device) -> int | None:
    """Bytes that could be had now, or None where no system tells."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        return None


def batch_that_fits(config: UNetConfig, free: int | None, most: int = AT_ONCE) -> int:
    """The largest of most, most/2, … 1 whose weights and activations take up to SHARE of the ``free`` bytes. One
    picture is always tried: what it takes is an estimate, and running out of memory has a sentence of its own."""
    height, width = config.size
    if free is None or height * width <= SMALL:
        return most
    cost, batch = cost_of(config), most
    while batch > 1 and cost.memory(batch) > SHARE * free:
        batch //= 2
    return batch


def needs(config: UNetConfig) -> str:
    """What a network needs, in a sentence for who opens it."""
    cost = cost_of(config)
    sizes = [f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB" for count in map(cost.memory, (1, 8))]
    return f"It has {cost.parameters:,} parameters, and takes about {sizes[0]} for one picture, {sizes[1]} for eight."

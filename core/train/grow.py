"""A deeper network that begins where a finished one stopped: what it has more of answers nothing at first.

A new resnet is its shortcut and a new attention its residual, for their last layers are zero (the deepening of Net2Net,
Chen et al. 2016), so the first step finds the loss that the old network had.
"""

from __future__ import annotations

import re
from dataclasses import replace

import torch
from torch import nn

from core.errors import DataError
from core.unet import AttentionBlock, ResnetBlock, UNet
from core.unet_config import UNetConfig

_LAYER = re.compile(r"(down|up)_blocks\.(\d+)\.(?:resnets|attentions)\.(\d+)")


def grows_to(old: UNetConfig, new: UNetConfig) -> bool:
    """Whether new has what old has and at most resnets or attention besides, at every level alike."""
    kinds = zip(old.down_block_types + old.up_block_types, new.down_block_types + new.up_block_types, strict=True)
    same = replace(
        old,
        layers_per_block=new.layers_per_block,
        down_block_types=new.down_block_types,
        up_block_types=new.up_block_types,
    )
    return (
        same == new
        and old.layers_per_block <= new.layers_per_block
        and all(a == b or b.startswith("Attn") for a, b in kinds)
    )


def _source(name: str, old: UNetConfig, more: int) -> str | None:
    """What the old network calls a module or weight of the new one, which has more resnets a level; None: a new one."""
    found = _LAYER.match(name)
    if found is None:
        return name
    j = int(found[3])
    # Upwards, resnet 0 takes the last skip of its level, which is the old one's while what is new below passes it on,
    # and the last resnet takes that of the level above: what is new lies between.
    if found[1] == "down":
        source = j if j < old.layers_per_block else None
    else:
        source = j if j == 0 else (None if j <= more else j - more)
    return None if source is None else f"{name[: found.start(3)]}{source}{name[found.end(3) :]}"


@torch.no_grad()
def grow(network: UNet, config: UNetConfig) -> UNet:
    """A network of config that answers as the given one, within rounding. Raises DataError where it cannot."""
    old = network.config
    if len(old.block_out_channels) != len(config.block_out_channels) or not grows_to(old, config):
        raise DataError(
            "A network grows only by --layers and --attention: give all else as the checkpoint to start from was made."
        )
    grown, more = UNet(config), config.layers_per_block - old.layers_per_block
    modules, weights = dict(network.named_modules()), network.state_dict()
    for name, module in grown.named_modules():
        if isinstance(module, (ResnetBlock, AttentionBlock)) and _source(name, old, more) not in modules:
            _answer_nothing(module)
    for name, weight in grown.state_dict().items():
        source = _source(name, old, more)
        if source in weights:
            weight.copy_(weights[source])
    return grown


def _answer_nothing(module: ResnetBlock | AttentionBlock) -> None:
    if isinstance(module, ResnetBlock) and module.conv_shortcut is not None:
        keep = module.conv_shortcut  # of what comes from below and of the skip, only the former
        for weight in keep.parameters():
            nn.init.zeros_(weight)
        keep.weight[:, : keep.out_channels, 0, 0].fill_diagonal_(1)
    for weight in (module.to_out if isinstance(module, AttentionBlock) else module.conv2).parameters():
        nn.init.zeros_(weight)

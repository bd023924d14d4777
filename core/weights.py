"""From weights to a network, strictly: every key present, none left over, every shape equal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from core import weight_files
from core.errors import CheckpointError
from core.json_files import shown
from core.layouts import authors
from core.unet import UNet
from core.unet_config import UNetConfig

# Attention keys as diffusers wrote them before 0.18; the published Google DDPMs still carry these.
_OLD_ATTENTION = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}


def _modern(key: str) -> str:
    if ".attentions." in key:
        for old, new in _OLD_ATTENTION.items():
            key = key.replace(old, new)
    return key


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor by its modern key, without reading a weight."""
    shapes = weight_files.read_shapes(path)
    keys = _keys(shapes, path)
    return {keys[key]: shape[:2] if _flattened(keys[key], shape, path) else shape for key, shape in shapes.items()}


def _read_tensors(path: Path) -> dict[str, Tensor]:
    """Every tensor by its modern key, in the shape of read_shapes."""
    tensors = weight_files.read_tensors(path)
    keys = _keys(tensors, path)
    return {
        keys[key]: value.flatten(1) if _flattened(keys[key], tuple(value.shape), path) else value
        for key, value in tensors.items()
    }


def _keys(found: Iterable[str], path: Path) -> dict[str, str]:
    """The modern key of every key. Raises CheckpointError where two come to one."""
    keys = authors.names(found, path.name) if path.suffix in authors.SUFFIXES else {key: _modern(key) for key in found}
    if len(set(keys.values())) != len(keys):
        raise CheckpointError(f"{path.name} holds a key twice, under its old and its new name: save the weights again.")
    return keys


def _flattened(key: str, shape: tuple[int, ...], path: Path) -> bool:
    return path.suffix in authors.SUFFIXES and authors.is_flat(key) and len(shape) == 4 and shape[2:] == (1, 1)


def check_fit(shapes: Mapping[str, tuple[int, ...]], config: UNetConfig, name: str) -> None:
    """Raises CheckpointError, naming the first key, unless the tensors are exactly those of the network."""
    resnets = len(config.block_out_channels) * (2 * config.layers_per_block + 1) + 2
    if len(shapes) < 10 * resnets:  # before thousands of layers are made for nothing
        raise CheckpointError(
            f"{name} does not fit config.json: {len(shapes)} tensors are too few for {config.layers_per_block} layers "
            f"on {len(config.block_out_channels)} levels. Use the config.json that belongs to these weights."
        )
    with torch.device("meta"):  # shapes only: nothing is allocated
        want = {key: tuple(value.shape) for key, value in UNet(config).state_dict().items()}
    missing, extra = sorted(set(want) - set(shapes)), sorted(set(shapes) - set(want))
    odd = [key for key in want if key in shapes and want[key] != shapes[key]]
    for what, keys in (("lacks", missing), ("has the unknown key", extra), ("has another shape for", odd)):
        if keys:
            raise CheckpointError(
                f"{name} does not fit config.json: it {what} {shown(keys[0])} ({len(keys)} such keys). "
                "Use the config.json that belongs to these weights."
            )


def load_network(config: UNetConfig, path: Path) -> UNet:
    """A network of its own with the weights of a file: on the CPU, in fp32 and eval mode, without gradients. Of one
    that answers twice as many channels as config asks for, only the first half is made.

    Raises CheckpointError for weights that do not fit, or are no finite numbers.
    """
    state = _read_tensors(path)
    for key in ("conv_out.weight", "conv_out.bias"):  # of a learned variance, the mean comes first
        if key in state and len(state[key]) == 2 * config.out_channels:
            state[key] = state[key][: config.out_channels].clone()
    check_fit({key: tuple(value.shape) for key, value in state.items()}, config, path.name)
    with torch.device("meta"):
        network = UNet(config)
    network.load_state_dict({key: _numbers(key, value, path) for key, value in state.items()}, assign=True)
    return network.eval().requires_grad_(False)


def _numbers(key: str, value: Tensor, path: Path) -> Tensor:
    if not value.is_floating_point():
        raise CheckpointError(f"{path.name} holds {key} as {value.dtype}: save the weights as floating-point numbers.")
    value = value.float()
    if not bool(torch.isfinite(value).all()):
        raise CheckpointError(f"{path.name} holds NaN or infinity in {key}: take weights saved before training failed.")
    return value

"""From a safetensors file to a network, strictly: every key present, none left over, every shape equal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from core.errors import CheckpointError
from core.unet import UNet
from core.unet_config import UNetConfig

# Attention keys as diffusers wrote them before 0.18; the published Google DDPMs still carry these.
_OLD_ATTENTION = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}


def _modern(key: str) -> str:
    if ".attentions." in key:
        for old, new in _OLD_ATTENTION.items():
            key = key.replace(old, new)
    return key


def _require(path: Path) -> None:
    if not path.is_file():
        pickled = path.with_suffix(".bin")
        hint = (
            f"{pickled.name} is a pickle, which this project never opens: convert it with "
            "diffusers' save_pretrained(safe_serialization=True)"
            if pickled.is_file()
            else "copy the file into the folder"
        )
        raise CheckpointError(f"{path} is missing: {hint}.")


def _incomplete(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(f"{path} is not a complete safetensors file ({error}): copy it again.")


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor by its modern key, without reading a weight."""
    _require(path)
    try:
        with safe_open(path, "pt") as file:
            return {_modern(key): tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise _incomplete(path, error) from error


def check_fit(shapes: Mapping[str, tuple[int, ...]], config: UNetConfig, name: str) -> None:
    """Raises CheckpointError, naming the first key, unless the tensors are exactly those of the network."""
    with torch.device("meta"):  # shapes only: nothing is allocated
        want = {key: tuple(value.shape) for key, value in UNet(config).state_dict().items()}
    missing, extra = sorted(set(want) - set(shapes)), sorted(set(shapes) - set(want))
    odd = [key for key in want if key in shapes and want[key] != shapes[key]]
    for what, keys in (("lacks", missing), ("has the unknown key", extra), ("has another shape for", odd)):
        if keys:
            raise CheckpointError(
                f"{name} does not fit config.json: it {what} {keys[0]!r} ({len(keys)} such keys). "
                "Use the config.json that belongs to these weights."
            )


def read_weights(path: Path) -> dict[str, Tensor]:
    """Every tensor by its modern key, on the CPU."""
    _require(path)
    try:
        return {_modern(key): value for key, value in load_file(path).items()}
    except (SafetensorError, OSError) as error:
        raise _incomplete(path, error) from error


def load_network(config: UNetConfig, path: Path) -> UNet:
    """A network of its own with the weights of a file: on the CPU, in fp32 and eval mode, without gradients."""
    state = read_weights(path)
    check_fit({key: tuple(value.shape) for key, value in state.items()}, config, path.name)
    with torch.device("meta"):
        network = UNet(config)
    network.load_state_dict({key: value.float() for key, value in state.items()}, assign=True)
    return network.eval().requires_grad_(False)

"""Tensors by name from the files that hold weights: safetensors, torch's own, either of them in shards.

A pickle can run code when it is opened. torch.load(weights_only=True) builds tensors and plain containers only, and it
is the one way in which this project opens one. Nothing here trusts a size that a file states: what a file may hold is
bounded by its own length.
"""

from __future__ import annotations

import pickle
import stat
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from core.errors import CheckpointError
from core.json_files import path_text, read_json, shown
from core.layouts.authors import SUFFIXES, refuse_others

Shape = tuple[int, ...]
SHARDS = (".index.json", ".index.fp16.json")
MAX_SHARDS = 1000


def files_of(path: Path) -> tuple[Path, ...]:
    """The files that hold the weights of ``path``: itself, or the shards that it lists. Raises CheckpointError."""
    return tuple(_shards(path)) if path.name.endswith(SHARDS) else (path,)


def read_shapes(path: Path) -> dict[str, Shape]:
    """The shape of every tensor by its name, without reading a weight. Raises CheckpointError."""
    return _joined(path, ((_shapes_of(file), keys) for file, keys in _parts(path)))


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Every tensor by its name, on the CPU, as it is stored. Raises CheckpointError."""
    return _joined(path, ((_tensors_of(file), keys) for file, keys in _parts(path)))


def _parts(path: Path) -> Iterable[tuple[Path, frozenset[str] | None]]:
    """(file, the names it must hold) for every file."""
    return _shards(path).items() if path.name.endswith(SHARDS) else [(path, None)]


def _joined(path: Path, parts: Iterable[tuple[Mapping[str, Any], frozenset[str] | None]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for values, keys in parts:
        if keys is not None and keys != set(values):
            odd = sorted(keys ^ set(values))[0]
            raise CheckpointError(f"{path.name} and its shards disagree about {shown(odd)}: copy all of them again.")
        found |= values
    return found


def _shards(index: Path) -> dict[Path, frozenset[str]]:
    """The shards of an index by their files, which lie beside it."""
    where = read_json(index).get("weight_map")
    if not isinstance(where, dict) or not where or not all(isinstance(name, str) for name in where.values()):
        raise CheckpointError(f"{index.name} has no weight_map from keys to files: copy the index again.")
    names = sorted(set(where.values()))
    if len(names) > MAX_SHARDS:
        raise CheckpointError(f"{index.name} lists {len(names)} shards, more than {MAX_SHARDS}: join them.")
    kind = ".safetensors" if ".safetensors." in index.name else ".bin"
    for name in names:
        if Path(name).name != name or "\\" in name or not name.endswith(kind):
            raise CheckpointError(f"{index.name} names the shard {shown(name)}: shards are {kind} files beside it.")
        _require(index.with_name(name))
    return {index.with_name(n): frozenset(k for k, at in where.items() if at == n) for n in names}


def _require(path: Path) -> int:
    """The length of a file in bytes."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path_text(path)} is missing: copy the file into the folder.") from error
    if not stat.S_ISREG(status.st_mode):
        raise CheckpointError(f"{path_text(path)} is not a file: put the weights themselves there.")
    return status.st_size


def _incomplete(path: Path, kind: str, error: object) -> CheckpointError:
    said = str(error).partition("\n")[0][:80]
    why = "".join(letter if letter.isprintable() else "?" for letter in said)  # it quotes what the file holds
    return CheckpointError(f"{path_text(path)} is not a complete {kind} file ({why}): copy it again.")


def _shapes_of(path: Path) -> dict[str, Shape]:
    _require(path)
    if path.suffix != ".safetensors":
        return {key: tuple(value.shape) for key, value in _unpickled(path).items()}
    try:
        with safe_open(path, "pt") as file:
            return {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise _incomplete(path, "safetensors", error) from error


def _tensors_of(path: Path) -> dict[str, Tensor]:
    _require(path)
    if path.suffix != ".safetensors":
        return {key: value.clone() for key, value in _unpickled(path).items()}  # no longer part of the file
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise _incomplete(path, "safetensors", error) from error


def load_pickle(path: Path) -> object:
    """What torch.save wrote: tensors in plain containers, and nothing else. Raises CheckpointError."""
    size = _require(path)
    zipped = zipfile.is_zipfile(path)
    try:
        if zipped:
            with zipfile.ZipFile(path) as archive:
                inside = archive.infolist()
            if any(e.compress_type != zipfile.ZIP_STORED for e in inside) or sum(e.file_size for e in inside) > size:
                raise CheckpointError(f"{path_text(path)} is compressed, which torch.save never does: save it again.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about how an old file was written
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except CheckpointError:
        raise
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path_text(path)} holds more than tensors, or none, and such a pickle is never opened: "
            "save the network's state_dict alone, best as safetensors."
        ) from error
    except Exception as error:  # whatever an unpickler says of bytes that are no pickle
        raise _incomplete(path, "torch", error) from error


def _unpickled(path: Path) -> dict[str, Tensor]:
    value = load_pickle(path)
    if path.suffix in SUFFIXES and isinstance(value, (list, tuple)) and value:
        # the DDIM authors' training state: [network, optimiser, epoch, step, and where one was kept its average]
        value = value[-1] if isinstance(value[-1], dict) else value[0]
    if path.suffix in SUFFIXES and isinstance(value, dict):  # others keep the network beside its optimiser
        inner = [part for part in value.values() if isinstance(part, dict)]
        refuse_others((key for part in (value, *inner) for key in part if isinstance(key, str)), path.name)
    return _plain_state(value, path)


def _plain_state(value: object, path: Path) -> dict[str, Tensor]:
    """A state_dict of dense tensors, no larger than its file. Raises CheckpointError."""
    if not isinstance(value, dict) or not value:
        raise CheckpointError(f"{path_text(path)} holds no state_dict: save network.state_dict() there.")
    for key, tensor in value.items():
        if not isinstance(key, str) or not isinstance(tensor, Tensor) or tensor.layout != torch.strided:
            raise CheckpointError(f"{path_text(path)} holds {shown(key)}, which is no tensor: save a state_dict alone.")
    held = sum(tensor.numel() * tensor.element_size() for tensor in value.values())
    if held > 2 * _require(path):  # one number, repeated by its strides
        raise CheckpointError(f"{path_text(path)} states tensors larger than the file: save them again.")
    return value

"""An ONNX graph under construction, and its bytes: the protobuf wire format by hand.

A U-Net needs few of ONNX's messages, so neither ``onnx`` nor torch's exporter is a dependency
(docs/decisions/0015-onnx-runtime.md). Field numbers are those of onnx.proto, which never change.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

IR_VERSION, OPSET = 8, 17
MAX_BYTES = 2**31 - 1  # protobuf's limit for one message

Attribute = int | float | str | Sequence[int]
Array = NDArray[np.float32] | NDArray[np.int64]
Chunk = bytes | memoryview


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative numbers are written as their two's complement
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _head(field: int, size: int) -> bytes:
    """What precedes ``size`` bytes of text, raw data or a nested message."""
    return _varint(field << 3 | 2) + _varint(size)


def _data(field: int, value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return _head(field, len(raw)) + raw


def _attribute(name: str, value: Attribute) -> bytes:
    """AttributeProto; its last field says which of the others holds the value."""
    if isinstance(value, float):
        kind, body = 1, _varint(2 << 3 | 5) + struct.pack("<f", value)
    elif isinstance(value, int):
        kind, body = 2, _number(3, value)
    elif isinstance(value, str):
        kind, body = 3, _data(4, value)
    else:
        kind, body = 7, b"".join(_number(8, item) for item in value)
    return _data(1, name) + body + _number(20, kind)


def _value(name: str, shape: Sequence[int | str], kind: int = 1) -> bytes:
    """ValueInfoProto of a tensor, float32 (kind 1) or int64 (7); a named size is free."""
    dims = b"".join(_data(1, _data(2, size) if isinstance(size, str) else _number(1, size)) for size in shape)
    return _data(1, name) + _data(2, _data(1, _number(1, kind) + _data(2, dims)))


class Graph:
    """Nodes in the order in which they are added. Values are names; ``add`` returns the one it makes."""

    def __init__(self) -> None:
        self._chunks: list[Chunk] = []  # the fields of GraphProto; any order is valid
        self._shared: dict[bytes, str] = {}
        self._count = 0

    def _name(self, stem: str) -> str:
        self._count += 1
        return f"{stem}_{self._count}"

    def input(self, name: str, shape: Sequence[int | str]) -> str:
        """A float32 input."""
        self._chunks.append(_data(11, _value(name, shape)))
        return name

    def whole_input(self, name: str, shape: Sequence[int | str]) -> str:
        """An int64 input."""
        self._chunks.append(_data(11, _value(name, shape, 7)))
        return name

    def output(self, value: str, shape: Sequence[int | str], name: str) -> None:
        """Give ``value``, float32, out under ``name``."""
        self._chunks.append(_data(1, _data(1, value) + _data(2, name) + _data(4, "Identity")))
        self._chunks.append(_data(12, _value(name, shape)))

    def weight(self, array: Array) -> str:
        """A constant. Its memory is read by ``to_bytes`` and not copied before."""
        name = self._name("weight")
        kind, little = (7, "<i8") if array.dtype == np.int64 else (1, "<f4")
        raw = np.ascontiguousarray(array, dtype=little)
        fields = b"".join(_number(1, size) for size in array.shape) + _number(2, kind) + _data(8, name)
        fields += _head(9, raw.nbytes)
        self._chunks += [_head(5, len(fields) + raw.nbytes) + fields, raw.reshape(-1).view(np.uint8).data]
        return name

    def ints(self, *values: int) -> str:
        """A small int64 vector, such as a shape; equal ones are one constant."""
        array = np.array(values, np.int64)
        if array.tobytes() not in self._shared:
            self._shared[array.tobytes()] = self.weight(array)
        return self._shared[array.tobytes()]

    def add(self, op: str, *inputs: str, **attributes: Attribute) -> str:
        """Append a node and return its output."""
        return self.split(op, *inputs, outputs=1, **attributes)[0]

    def split(self, op: str, *inputs: str, outputs: int, **attributes: Attribute) -> list[str]:
        """Append a node with several outputs and return them. An empty name is an input left out."""
        names = [self._name(op) for _ in range(outputs)]
        body = b"".join(_data(1, value) for value in inputs) + b"".join(_data(2, value) for value in names)
        body += _data(3, names[0]) + _data(4, op)
        self._chunks.append(_data(1, body + b"".join(_data(5, _attribute(*pair)) for pair in attributes.items())))
        return names

    def to_bytes(self, producer: str) -> bytes:
        """The model file. Raises OverflowError where it would be larger than protobuf allows."""
        chunks: list[Chunk] = [*self._chunks, _data(2, "unet")]
        size = sum(len(chunk) for chunk in chunks)
        if size > MAX_BYTES - 1024:
            raise OverflowError(f"{size} bytes are more than a protobuf message may have")
        model = _number(1, IR_VERSION) + _data(2, producer) + _data(8, _number(2, OPSET))
        return b"".join([model, _head(7, size), *chunks])

"""Writes small ONNX graphs: as much of ONNX's protobuf as a feed-forward network needs.

The ``onnx`` package would be the larger part of an installation for a page of code. Field
numbers are those of ``onnx.proto`` (IR version 8, opset 13).
"""

import struct
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

IR_VERSION: Final = 8
OPSET: Final = 13
_FLOAT, _INT64 = 1, 7  # TensorProto.DataType
_A_FLOAT, _AN_INT, _INTS = 1, 2, 7  # AttributeProto.AttributeType

Attribute = int | float | Sequence[int]


class Graph:
    """A graph under construction; each step gives the name of the value it makes."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes = bytearray()
        self._constants = bytearray()
        self._inputs = bytearray()
        self._outputs = bytearray()
        self._count = 0

    def input(self, name: str, shape: Sequence[int | str]) -> str:
        """A float32 input; a dimension that is a name is open."""
        self._inputs += _message(11, _value(name, shape))
        return name

    def output(self, name: str, shape: Sequence[int | str]) -> None:
        self._outputs += _message(12, _value(name, shape))

    def constant(self, values: NDArray[np.float32] | NDArray[np.int64]) -> str:
        name = self._next("constant")
        kind = _INT64 if values.dtype == np.int64 else _FLOAT
        tensor = b"".join(_number(1, size) for size in values.shape) + _number(2, kind) + _text(8, name)
        # ONNX wants the lowest byte first whatever the machine.
        raw = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False)
        self._constants += _message(5, tensor + _message(9, raw.tobytes()))
        return name

    def node(self, kind: str, *inputs: str, output: str | None = None, **attributes: Attribute) -> str:
        """One step; ``output`` names its result where that is an output of the graph."""
        name = output or self._next(kind.lower())
        node = b"".join(_text(1, given) for given in inputs) + _text(2, name) + _text(4, kind)
        node += b"".join(_message(5, _attribute(key, value)) for key, value in attributes.items())
        self._nodes += _message(1, node)
        return name

    def model(self) -> bytes:
        """The whole model, as onnxruntime takes it."""
        graph = bytes(self._nodes) + _text(2, self._name) + bytes(self._constants)
        graph += bytes(self._inputs) + bytes(self._outputs)
        return _number(1, IR_VERSION) + _message(7, graph) + _message(8, _number(2, OPSET))

    def _next(self, kind: str) -> str:
        self._count += 1
        return f"{kind}_{self._count}"


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # protobuf's int64: two's complement
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _message(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())


def _value(name: str, shape: Sequence[int | str]) -> bytes:
    dimensions = (_text(2, size) if isinstance(size, str) else _number(1, size) for size in shape)
    tensor = _number(1, _FLOAT) + _message(2, b"".join(_message(1, one) for one in dimensions))
    return _text(1, name) + _message(2, _message(1, tensor))


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _AN_INT)
    if isinstance(value, float):
        real = _varint(2 << 3 | 5) + struct.pack("<f", value)
        return _text(1, name) + real + _number(20, _A_FLOAT)
    return _text(1, name) + b"".join(_number(8, one) for one in value) + _number(20, _INTS)

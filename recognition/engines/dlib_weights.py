"""Reads the weights out of ``dlib_face_recognition_resnet_model_v1.dat`` (CC0).

dlib writes a network as its layers from the picture upwards, each as a tag, its parameters
as one tensor and its geometry. An integer is a byte (length, and 0x80 for negative) and that many bytes,
lowest first; a string is its length and its bytes; a tensor is a version, four dimensions and
its float32 values, lowest byte first. Source: dlib's ``serialize.h``, ``dnn/layers.h`` and
``cuda/tensor.h``; layers without parameters only take up space between the tags.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float32]

_TAG: Final = re.compile(rb"\x05con_4|\x07affine_|\x04fc_2")
_TENSOR_VERSION: Final = 2


class WeightsError(ValueError):
    """The file is not a network as dlib writes them, or not the one that is meant."""


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """``filters`` (out, in, height, width), ``bias`` (out,); the same stride and padding both ways."""

    filters: Weights
    bias: Weights
    stride: int
    padding: int


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """``x * gamma + beta`` a channel: a batch normalisation that has been frozen."""

    gamma: Weights
    beta: Weights


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """``x @ weights``, (in, out), without bias."""

    weights: Weights


Layer = Convolution | Affine | Dense


def layers_of(data: bytes) -> list[Layer]:
    """The layers that have parameters, from the picture upwards. Raises ``WeightsError``."""
    found: list[Layer] = []
    channels, at = 3, 0
    # The search goes on behind each layer's values, so numbers are never taken for a tag.
    while tag := _TAG.search(data, at):
        reader = _Reader(data, tag.end())
        layer = _READERS[tag.group()](reader, channels)
        channels = layer.bias.size if isinstance(layer, Convolution) else channels
        found.append(layer)
        at = reader.at
    if not found:
        raise WeightsError("no layer of a dlib network")
    return found


class _Reader:
    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self.at = at

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self._data):
            raise WeightsError("the file ends within a layer")
        self.at += count
        return self._data[self.at - count : self.at]

    def integer(self) -> int:
        length = self.take(1)[0]
        value = int.from_bytes(self.take(length & 0x0F), "little")
        return -value if length & 0x80 else value

    def tensor(self) -> Weights:
        if self.integer() != _TENSOR_VERSION:
            raise WeightsError("a tensor of another version")
        size = self.integer() * self.integer() * self.integer() * self.integer()
        return np.frombuffer(self.take(4 * size), "<f4").astype(np.float32, copy=False)


def _convolution(reader: _Reader, channels: int) -> Convolution:
    values = reader.tensor()
    count, height, width, stride, _, padding, _ = (reader.integer() for _ in range(7))
    size = count * channels * height * width
    if min(count, height, width, stride) < 1 or values.size != size + count:
        raise WeightsError("a convolution's values do not fit its geometry")
    filters = values[:size].reshape(count, channels, height, width)
    return Convolution(filters, values[size:], stride, padding)


def _affine(reader: _Reader, channels: int) -> Affine:
    values = reader.tensor()
    if values.size != 2 * channels:
        raise WeightsError("an affine layer's values do not fit its channels")
    return Affine(values[:channels], values[channels:])


def _dense(reader: _Reader, channels: int) -> Dense:
    outputs, inputs = reader.integer(), reader.integer()
    values = reader.tensor()
    if inputs != channels or values.size != inputs * outputs:
        raise WeightsError("a dense layer's values do not fit its size")
    return Dense(values.reshape(inputs, outputs))


_READERS: Final[dict[bytes, Callable[[_Reader, int], Layer]]] = {
    b"\x05con_4": _convolution,
    b"\x07affine_": _affine,
    b"\x04fc_2": _dense,
}

"""dlib's face encoder as an ONNX graph: the same numbers, several times faster on a CPU.

A ResNet with 29 convolutions. Its shape is dlib's ``dnn_face_recognition_ex.cpp``: a 7×7
convolution, a pooling, then fourteen residual blocks of 32 to 256 channels, four of which
halve the picture. dlib adds tensors of different sizes as if the smaller one were filled up
with zeros, below, at the right and in the channels, which the graph does by hand.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from recognition.engines.dlib_weights import Affine, Convolution, Dense, Layer, WeightsError, layers_of
from recognition.engines.graphs import Graph
from recognition.engines.sessions import session_of

SIDE_PX: Final = 150
"""Width and height of the aligned crop."""

DIMENSION: Final = 128

BLOCKS: Final = (32, 32, 32, -64, 64, 64, 64, -128, 128, 128, -256, 256, 256, -256)
"""Channels of each residual block, from the picture upwards; negative where it halves the picture."""

_MEAN: Final = np.array([122.782, 117.001, 104.298], np.float32)
_SCALE: Final = np.float32(256.0)
"""dlib's ``input_rgb_image_sized``: red, green, blue less their mean, divided by this."""


class DlibNet:
    """The encoder, on one CPU thread. About 20 MB of weights in memory."""

    def __init__(self, data: bytes) -> None:
        """``data`` is the model file. Raises ``WeightsError``."""
        self._session: Any = session_of(graph_of(layers_of(data)))

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeddings (n, 128) as dlib gives them of aligned RGB crops (n, 150, 150, 3)."""
        values = ((crops - _MEAN) / _SCALE).transpose(0, 3, 1, 2)
        (found,) = self._session.run(None, {"faces": np.ascontiguousarray(values, dtype=np.float32)})
        return np.asarray(found, dtype=np.float32)


def graph_of(layers: list[Layer]) -> bytes:
    """The ONNX model of the encoder. Raises ``WeightsError`` where the layers are another network's."""
    folded, dense = _folded(layers)
    if len(folded) != 1 + 2 * len(BLOCKS) or dense.weights.shape != (abs(BLOCKS[-1]), DIMENSION):
        raise WeightsError("not dlib's face encoder")
    net = _Net()
    first, *others = folded
    net.convolve(first)
    net.pool(3, "MaxPool")
    for index, block in enumerate(BLOCKS):
        below, above = others[2 * index : 2 * index + 2]
        if above.bias.size != abs(block) or (below.stride == 2) != (block < 0):
            raise WeightsError("not dlib's face encoder")
        net.block(below, above)
    return net.finish(dense)


def _folded(layers: list[Layer]) -> tuple[list[Convolution], Dense]:
    """Each convolution with the affine layer behind it in one, and the dense layer at the end."""
    *body, last = layers
    found = []
    for convolution, affine in zip(body[0::2], body[1::2], strict=False):
        if not (isinstance(convolution, Convolution) and isinstance(affine, Affine)):
            raise WeightsError("not dlib's face encoder")
        filters = convolution.filters * affine.gamma[:, None, None, None]
        bias = convolution.bias * affine.gamma + affine.beta
        found.append(Convolution(filters, bias, convolution.stride, convolution.padding))
    if not isinstance(last, Dense):
        raise WeightsError("not dlib's face encoder")
    return found, last


class _Net:
    """The graph with the value on top of it and that value's size."""

    def __init__(self) -> None:
        self._graph = Graph("dlib_face_encoder")
        self._top = self._graph.input("faces", ("count", 3, SIDE_PX, SIDE_PX))
        self._side, self._channels = SIDE_PX, 3

    def convolve(self, layer: Convolution, *, relu: bool = True) -> None:
        graph, size = self._graph, layer.filters.shape[2]
        self._top = graph.node(
            "Conv",
            self._top,
            graph.constant(layer.filters),
            graph.constant(layer.bias),
            kernel_shape=(size, size),
            strides=(layer.stride, layer.stride),
            pads=(layer.padding,) * 4,
        )
        self._side = (self._side + 2 * layer.padding - size) // layer.stride + 1
        self._channels = layer.bias.size
        if relu:
            self._top = graph.node("Relu", self._top)

    def pool(self, size: int, kind: str) -> None:
        """Halves the picture, without padding."""
        self._top = self._graph.node(kind, self._top, kernel_shape=(size, size), strides=(2, 2))
        self._side = (self._side - size) // 2 + 1

    def block(self, below: Convolution, above: Convolution) -> None:
        """Two convolutions, and what went into them added to what came out."""
        into, side, channels = self._top, self._side, self._channels
        self.convolve(below)
        self.convolve(above, relu=False)
        out, out_side, out_channels = self._top, self._side, self._channels
        if below.stride == 2:
            self._top, self._side, self._channels = into, side, channels
            self.pool(2, "AveragePool")
            into, side = self._top, self._side
        widest, most = max(side, out_side), max(channels, out_channels)
        into = self._fill(into, most - channels, widest - side)
        out = self._fill(out, most - out_channels, widest - out_side)
        self._top = self._graph.node("Relu", self._graph.node("Add", into, out))
        self._side, self._channels = widest, most

    def finish(self, dense: Dense) -> bytes:
        graph = self._graph
        mean = graph.node("Flatten", graph.node("GlobalAveragePool", self._top), axis=1)
        graph.node("MatMul", mean, graph.constant(dense.weights), output="embeddings")
        graph.output("embeddings", ("count", DIMENSION))
        return graph.model()

    def _fill(self, value: str, channels: int, pixels: int) -> str:
        """The value with zeros behind its channels, below it and at its right."""
        if channels == 0 and pixels == 0:
            return value
        pads = np.array([0, 0, 0, 0, 0, channels, pixels, pixels], np.int64)
        return self._graph.node("Pad", value, self._graph.constant(pads))

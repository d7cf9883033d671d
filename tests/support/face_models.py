"""Networks small enough to be written in a test: no model of anybody's is needed."""

import hashlib

import numpy as np

from recognition.engines.graphs import Graph
from recognition.engines.manifest import Detector, Embedder, Manifest

DIMENSION = 12
FACE_PX = 100
"""The made-up detector says that every face is this wide and high."""


def embedder_model(
    *, layout="nchw", batch="count", spoil=None, dimension=DIMENSION, outputs=("vector",)
) -> bytes:
    """Mean colours of the four quarters of a face: 12 numbers, channel by channel."""
    graph = Graph("quarters")
    shape = (batch, 3, 112, 112) if layout == "nchw" else (batch, 112, 112, 3)
    value = graph.input("face", shape)
    if layout == "nhwc":
        value = graph.node("Transpose", value, perm=(0, 3, 1, 2))
    size = 56 if dimension == DIMENSION else 112
    value = graph.node("AveragePool", value, kernel_shape=(size, size), strides=(size, size))
    value = graph.node("Flatten", value, axis=1)
    if spoil is not None:
        value = graph.node("Mul", value, graph.constant(np.zeros(1, np.float32)))
        value = graph.node("Add", value, graph.constant(np.full(dimension, spoil, np.float32)))
    for name in outputs:
        graph.node("Identity", value, output=name)
        graph.output(name, (batch, dimension))
    return graph.model()


def yunet_model(*, outputs=("cls", "obj", "bbox", "kps")) -> bytes:
    """Takes every white 8×8 square for the middle of a face of 100 px.

    Its eyes lie 20 px above and beside the middle, the nose on it, the corners of the mouth below.
    """
    graph = Graph("squares")
    picture = graph.input("input", (1, 3, "height", "width"))
    low, high = graph.constant(np.float32([0]).reshape(())), graph.constant(np.float32([1]).reshape(()))
    points = np.array([(-20, -20), (20, -20), (0, 0), (-15, 25), (15, 25)])
    for stride in (8, 16, 32):
        box = np.array([0.5, 0.5, np.log(FACE_PX / stride), np.log(FACE_PX / stride)])
        biases = {"cls": [0], "obj": [1], "bbox": box, "kps": (points / stride + 0.5).ravel()}
        for kind in outputs:
            bias = np.asarray(biases[kind], np.float32)
            filters = np.zeros((bias.size, 3, stride, stride), np.float32)
            if kind == "cls" and stride == 8:
                filters[:] = 1 / (3 * 255 * 64)
            cells = graph.node(
                "Conv",
                picture,
                graph.constant(filters),
                graph.constant(bias),
                kernel_shape=(stride, stride),
                strides=(stride, stride),
                pads=(0, 0, 0, 0),
            )
            rows = graph.node(
                "Transpose",
                graph.node("Clip", cells, low, high) if kind == "cls" else cells,
                perm=(0, 2, 3, 1),
            )
            shape = graph.constant(np.array([1, -1, bias.size], np.int64))
            graph.node("Reshape", rows, shape, output=f"{kind}_{stride}")
            graph.output(f"{kind}_{stride}", (1, "cells", bias.size))
    return graph.model()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def quarters(**embedder) -> Manifest:
    """A manifest of the made-up embedder, fed 0..255."""
    fed = {"mean": 0.0, "divisor": 255.0} | embedder
    return Manifest(
        name="quarters",
        title="Mean colours",
        licence="CC0",
        source="made in a test",
        embedder=Embedder(**{"file": "quarters.onnx", "dimension": DIMENSION} | fed),
        detector=Detector(file="squares.onnx", licence="CC0", source="made in a test"),
    )


def face_at(x: int, y: int, shape=(480, 640), *, square: int = 24) -> np.ndarray:
    """A dark picture with a white square around (x, y)."""
    image = np.full((*shape, 3), 30, np.uint8)
    half = square // 2
    image[max(0, y - half) : y + half, max(0, x - half) : x + half] = 255
    return image

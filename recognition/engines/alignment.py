"""Brings a face into the position that ArcFace-type encoders were trained on."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.engines.contract import ALIGNED_PX, Rgb

Points = NDArray[np.float64]

TEMPLATE: Final[Points] = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
)
"""Where eyes, nose and corners of the mouth lie in 112×112 pixels: the picture's left one of
each pair first. Source: InsightFace's ``face_align.py`` and OpenCV's ``face_recognize.cpp``."""

MIN_SPREAD_PX: Final = 1.0
"""Root mean square distance of the points from their middle; below, they say nothing."""


def spread(points: Points) -> float:
    """How far five points (5, 2) lie around their middle, in pixels."""
    return float(np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean()))


def similarity(points: Points) -> NDArray[np.float64]:
    """The turn, scale and shift (2, 3) that bring the points (5, 2) nearest to the template.

    Least squares without mirroring, as Umeyama's (IEEE PAMI 13, 1991). As complex numbers
    ``t = a·p + b`` it is one division. Raises ``ValueError`` where the points coincide.
    """
    if not spread(points) >= MIN_SPREAD_PX:
        raise ValueError("five points in one place have no direction")
    source, target = points @ (1, 1j), TEMPLATE @ (1, 1j)
    p, t = source - source.mean(), target - target.mean()
    a = np.vdot(p, t) / np.vdot(p, p)
    b = target.mean() - a * source.mean()
    return np.array([(a.real, -a.imag, b.real), (a.imag, a.real, b.imag)])


def align(image: Rgb, points: Points) -> Rgb:
    """The face at the five points, (112, 112, 3). Raises ``ValueError`` where they coincide."""
    crop = cv2.warpAffine(image, similarity(points), (ALIGNED_PX, ALIGNED_PX), flags=cv2.INTER_LINEAR)
    return np.asarray(crop, dtype=np.uint8)

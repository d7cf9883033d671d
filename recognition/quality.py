"""Whether a face crop is good enough for its comparison to mean anything.

A poor crop is far from everybody, its owner included, so a large distance then proves
nothing: poor quality makes a decision *uncertain*, never *unknown*.
"""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

MIN_SIZE_PX: Final = 60
"""Shorter side of the face box; the encoder works on 150 px, below 60 it sees mostly invention."""

GOOD_SIZE_PX: Final = 120

MIN_SHARPNESS: Final = 25.0
"""Variance of the Laplacian on the crop as 128×128 grey. Eight portraits of 88 to 310 px
measured 142 to 654; blurred with a Gaussian 6 % of the face wide they fall to 22 to 31."""

GOOD_SHARPNESS: Final = 150.0
MIN_MEAN, MAX_MEAN = 40.0, 220.0
"""Mean grey 0..255 below which a crop is too dark, above which too bright."""

MIN_CONTRAST: Final = 18.0
"""Standard deviation of grey; back light and fog fall below."""

MAX_ROLL_DEG: Final = 35.0
"""Lean of the head; alignment takes it out up to about here."""

MAX_YAW: Final = 0.35
"""Sideways offset of the nose from the middle of the eyes, in eye distances (0 frontal)."""

MIN_VISIBLE: Final = 0.85
"""Share of the face box that must lie inside the picture."""

NO_USABLE_FACE: Final = frozenset({"face_too_small", "face_covered"})
"""Reasons that leave nothing to compare: somebody was there, and the picture cannot say who.
The outcome is ``no_usable_face``; with any other reason it is uncertain."""

_SIDE: Final = 128


@dataclass(frozen=True, slots=True)
class FacePoints:
    """Where a face's parts lie, in the picture's pixels (x, y).

    ``left_eye`` and ``right_eye`` are the middles of the eyes at the picture's left and right.
    ``mouth`` are the corners of the mouth at left and right, None where the engine has none.
    """

    left_eye: tuple[float, float]
    right_eye: tuple[float, float]
    nose: tuple[float, float]
    mouth: tuple[tuple[float, float], tuple[float, float]] | None = None


@dataclass(frozen=True, slots=True)
class QualityReport:
    """What was measured and what is wrong; ``score`` is 0 (useless) to 1 (portrait).

    ``size_px`` in pixels, ``sharpness`` as variance, ``brightness`` and ``contrast`` in
    grey levels 0..255, ``roll_deg`` in degrees, ``yaw`` in eye distances.
    """

    score: float
    reasons: tuple[str, ...]
    size_px: int
    sharpness: float
    brightness: float
    contrast: float
    roll_deg: float
    yaw: float

    @property
    def usable(self) -> bool:
        return not self.reasons


def assess(crop: NDArray[np.uint8], points: FacePoints, visible: float = 1.0) -> QualityReport:
    """Judge an RGB crop of a face, with its points in the whole picture's pixels.

    ``visible`` is the share of the face box that the crop still holds, 0..1.
    """
    size = min(crop.shape[:2])
    if size < 8:
        return QualityReport(0.0, ("face_too_small",), size, 0.0, 0.0, 0.0, 0.0, 0.0)
    # One size for all, or a large soft face would count as blurred and a small one as sharp.
    method = cv2.INTER_AREA if size > _SIDE else cv2.INTER_LINEAR
    grey = cv2.cvtColor(cv2.resize(crop, (_SIDE, _SIDE), interpolation=method), cv2.COLOR_RGB2GRAY)
    sharpness = float(cv2.Laplacian(grey, cv2.CV_64F).var())
    brightness, contrast = float(grey.mean()), float(grey.std())
    roll, yaw = _pose(points)
    failures = {
        "face_too_small": size < MIN_SIZE_PX,
        "blurred": sharpness < MIN_SHARPNESS,
        "too_dark": brightness < MIN_MEAN,
        "too_bright": brightness > MAX_MEAN,
        "low_contrast": contrast < MIN_CONTRAST,
        "head_tilted": abs(roll) > MAX_ROLL_DEG,
        "face_turned": abs(yaw) > MAX_YAW,
        "face_cut_off": visible < MIN_VISIBLE,
    }
    exposure = min(1.0, contrast / 40.0) * min(1.0, brightness / 80.0, (255.0 - brightness) / 60.0)
    parts = (
        min(1.0, size / GOOD_SIZE_PX),
        min(1.0, sharpness / GOOD_SHARPNESS),
        exposure,
        max(0.0, 1.0 - abs(roll) / 90.0) * max(0.0, 1.0 - abs(yaw)) * visible,
    )
    score = math.prod(parts) ** (1 / len(parts))
    return QualityReport(
        score=round(score, 4),
        reasons=tuple(reason for reason, failed in failures.items() if failed),
        size_px=size,
        sharpness=round(sharpness, 2),
        brightness=round(brightness, 2),
        contrast=round(contrast, 2),
        roll_deg=round(roll, 2),
        yaw=round(yaw, 4),
    )


def _pose(points: FacePoints) -> tuple[float, float]:
    """Roll in degrees and yaw in eye distances, from the geometry of eyes and nose."""
    left, right = np.asarray(points.left_eye), np.asarray(points.right_eye)
    across = right - left
    distance = float(np.hypot(*across))
    if distance < 1.0:
        return 0.0, 1.0  # the eyes coincide: a profile
    roll = math.degrees(math.atan2(across[1], across[0]))
    along = float(np.dot(np.asarray(points.nose) - (left + right) / 2, across)) / distance**2
    return roll, along

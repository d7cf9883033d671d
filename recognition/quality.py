"""Whether a face crop is good enough for its comparison to mean anything.

A poor crop is far from everybody, its owner included, so a large distance then proves
nothing: poor quality makes a decision *uncertain*, never *unknown*.

The limits let good pictures through: of 116 photos of East Asians 111 have a face of 60 px or
more (YuNet), and 109 of these pass, as do all 20 photos of LFW at 250 px.
"""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.covered import covered
from recognition.framing import Box
from recognition.points import FacePoints, pose_of

__all__ = ["NO_USABLE_FACE", "FacePoints", "QualityReport", "assess", "judge"]

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

MAX_PITCH: Final = 0.25
"""How far the nose lies above or below where it lies in a level head, in distances from eyes to mouth:
about 30 degrees. Portraits measured -0.10 to 0.15."""

MIN_VISIBLE: Final = 0.85
"""Share of the face box that must lie inside the picture."""

NO_USABLE_FACE: Final = frozenset({"face_too_small", "face_covered"})
"""Reasons that leave nothing to compare: somebody was there, and the picture cannot say who.
The outcome is ``no_usable_face``; with any other reason it is uncertain."""

_SIDE: Final = 128
_LEAST_PX: Final = 8


@dataclass(frozen=True, slots=True)
class QualityReport:
    """What was measured and what is wrong; ``score`` is 0 (useless) to 1 (portrait).

    ``size_px`` in pixels, ``sharpness`` as variance, ``brightness`` and ``contrast`` in
    grey levels 0..255, ``roll_deg``, ``yaw`` and ``pitch`` as in `recognition.points.Pose`.
    """

    score: float
    reasons: tuple[str, ...]
    size_px: int
    sharpness: float
    brightness: float
    contrast: float
    roll_deg: float
    yaw: float
    pitch: float | None = None

    @property
    def usable(self) -> bool:
        return not self.reasons


def judge(image: NDArray[np.uint8], box: Box, points: FacePoints) -> QualityReport:
    """Judge the face in a box of an RGB picture; box and points in the picture's pixels.

    A box may overhang the picture.
    """
    crop = image[max(0, box.top) : max(0, box.bottom), max(0, box.left) : max(0, box.right)]
    visible = crop.shape[0] * crop.shape[1] / max(1, box.width * box.height)
    hidden = min(crop.shape[:2]) >= _LEAST_PX and covered(image, points)
    return assess(crop, points, visible, hidden=hidden)


def assess(
    crop: NDArray[np.uint8], points: FacePoints, visible: float = 1.0, *, hidden: bool = False
) -> QualityReport:
    """Judge an RGB crop of a face, with its points in the whole picture's pixels.

    ``visible`` is the share of the face box that the crop still holds, 0..1; ``hidden`` that
    nose and mouth are covered.
    """
    size = min(crop.shape[:2])
    if size < _LEAST_PX:
        return QualityReport(0.0, ("face_too_small",), size, 0.0, 0.0, 0.0, 0.0, 0.0)
    # One size for all, or a large soft face would count as blurred and a small one as sharp.
    method = cv2.INTER_AREA if size > _SIDE else cv2.INTER_LINEAR
    grey = cv2.cvtColor(cv2.resize(crop, (_SIDE, _SIDE), interpolation=method), cv2.COLOR_RGB2GRAY)
    sharpness = float(cv2.Laplacian(grey, cv2.CV_64F).var())
    brightness, contrast = float(grey.mean()), float(grey.std())
    pose = pose_of(points)
    pitch = pose.pitch or 0.0
    failures = {
        "face_too_small": size < MIN_SIZE_PX,
        "blurred": sharpness < MIN_SHARPNESS,
        "too_dark": brightness < MIN_MEAN,
        "too_bright": brightness > MAX_MEAN,
        "low_contrast": contrast < MIN_CONTRAST,
        "head_tilted": abs(pose.roll_deg) > MAX_ROLL_DEG,
        "face_turned": abs(pose.yaw) > MAX_YAW,
        "face_up_or_down": abs(pitch) > MAX_PITCH,
        "face_cut_off": visible < MIN_VISIBLE,
        "face_covered": hidden,
    }
    exposure = min(1.0, contrast / 40.0) * min(1.0, brightness / 80.0, (255.0 - brightness) / 60.0)
    parts = (
        min(1.0, size / GOOD_SIZE_PX),
        min(1.0, sharpness / GOOD_SHARPNESS),
        exposure,
        max(0.0, 1.0 - abs(pose.roll_deg) / 90.0)
        * max(0.0, 1.0 - abs(pose.yaw))
        * max(0.0, 1.0 - abs(pitch))
        * visible,
    )
    score = math.prod(parts) ** (1 / len(parts))
    return QualityReport(
        score=round(score, 4),
        reasons=tuple(reason for reason, failed in failures.items() if failed),
        size_px=size,
        sharpness=round(sharpness, 2),
        brightness=round(brightness, 2),
        contrast=round(contrast, 2),
        roll_deg=round(pose.roll_deg, 2),
        yaw=round(pose.yaw, 4),
        pitch=None if pose.pitch is None else round(pose.pitch, 4),
    )

"""Where a face's parts lie, and how the head is held as far as that says."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

LEVEL: Final = 0.58
"""Where the tip of the nose lies between eyes (0) and mouth (1) of a level head: 0.49 in ArcFace's
reference points, 0.62 (0.48 to 0.73) in what YuNet found in 116 portraits."""


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
class Pose:
    """How a head is held; ``roll_deg`` in degrees, positive where its right side in the picture hangs.

    ``yaw`` is how far the nose lies from the middle of the eyes along their line, in eye distances
    (0 frontal, about 0.5 a half profile). ``pitch`` is how far the nose lies below (positive:
    looking down) or above where it lies in a level head, in distances between eyes and mouth;
    None without a mouth.
    """

    roll_deg: float
    yaw: float
    pitch: float | None


def pose_of(points: FacePoints) -> Pose:
    """The pose from the geometry of five points; eyes that coincide are a profile (yaw 1)."""
    left, right, nose = (np.asarray(p) for p in (points.left_eye, points.right_eye, points.nose))
    across, middle = right - left, (left + right) / 2
    distance = float(np.hypot(*across))
    if distance < 1.0:
        return Pose(0.0, 1.0, None)
    roll = math.degrees(math.atan2(across[1], across[0]))
    yaw = float(np.dot(nose - middle, across)) / distance**2
    if points.mouth is None:
        return Pose(roll, yaw, None)
    down = np.array((-across[1], across[0])) / distance
    height = float(np.dot(np.asarray(points.mouth).mean(axis=0) - middle, down))
    if height < distance / 4:
        # The mouth is at the eyes: a head seen from far above or below, or points gone astray.
        return Pose(roll, yaw, 1.0)
    return Pose(roll, yaw, float(np.dot(nose - middle, down)) / height - LEVEL)

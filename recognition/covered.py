"""Whether a mask or a scarf covers a face from the nose down.

Skin is red where blood shines through, and no less red around nose and mouth than between the
eyes, with lips redder still and a dark line between them; cloth, paper and most dyes are
otherwise. Each face is compared with its own skin, so that tone of skin and colour of light
drop out.

Measured with YuNet's points at `THRESHOLD`: of 123 real faces that wear a mask, 14 to 300 px
wide, 85 % (89 % of those of 60 px and more) are called covered; of 3,849 faces of LFW with their
beards, glasses and open mouths 0.7 %, of 116 East-Asian portraits 0.9 %. With channels multiplied
by 0.7 to 1.3 (lamps) or all by 0.4 (dusk) LFW stays between 0.6 % and 0.7 %. What is missed:
skin-coloured, red and flowered masks, masks below the nose, and all in infrared. HOG, dlib's
detector, finds a face in 61 of 147 pictures with masks; with its points 79 % of them are covered.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.points import FacePoints, pose_of

THRESHOLD: Final = -0.5
"""Score from which a face counts as covered. Higher: fewer faces lost to it, more masks missed."""

MIN_CHROMA: Final = 4.0
"""Distance of skin from grey in CIE Lab; below, the picture has no colour (infrared) and says nothing."""

EYE_PX: Final = 32
"""Eye distance to which every face is brought; what follows is in eye distances."""

_WIDTH, _HEIGHT = 96, 112
_MIDDLE: Final = (48.0, 36.0)
"""Where the middle of the eyes comes to lie: 1.1 eye distances above, 2.4 below, 1.5 at each side."""

_REACH: Final = 2.9  # eye distances from there to the farthest corner

_SKIN: Final = (0.78, 0.60, 0.52)
"""Any colour of skin, as RGB 0..1, to which every face's own is brought."""

_DARKEST: Final = 0.02


@dataclass(frozen=True, slots=True)
class _Patch:
    """A part of the face, from the middle of the eyes; it ``follows`` the nose when the head turns."""

    top: float
    bottom: float
    left: float
    right: float
    follows: float = 0.0


_FOREHEAD: Final = _Patch(-0.5, -0.2, -0.25, 0.25)
_BRIDGE: Final = _Patch(0.0, 0.25, -0.12, 0.12, follows=0.3)
_UNDER_EYES: Final = (_Patch(0.22, 0.38, -0.55, -0.3), _Patch(0.22, 0.38, 0.3, 0.55))
_NOSE: Final = _Patch(0.5, 0.75, -0.18, 0.18, follows=0.9)
_BESIDE_NOSE: Final = (
    _Patch(0.6, 0.85, -0.45, -0.25, follows=0.6),
    _Patch(0.6, 0.85, 0.25, 0.45, follows=0.6),
)
_MOUTH: Final = _Patch(0.95, 1.3, -0.35, 0.35, follows=0.8)
_LIPS: Final = _Patch(0.7, 1.45, -0.25, 0.25, follows=0.8)


def covered(image: NDArray[np.uint8], points: FacePoints) -> bool:
    """Whether nose and mouth are covered; False as well where that cannot be judged."""
    score = cover_score(image, points)
    return score is not None and score > THRESHOLD


def cover_score(image: NDArray[np.uint8], points: FacePoints) -> float | None:
    """How much speaks for a cover, in steps of CIE Lab's a* (green to red); higher is more.

    ``image`` is the whole picture, RGB, and ``points`` lie in its pixels. For it speaks how much
    redness the reddest of nose, cheeks beside it and mouth has lost against the skin around the
    eyes, and half of what the mouth has lost; against it half of how far the reddest line across
    the mouth stands out, and three tenths of how far the darkest does (L*). None for a profile,
    for eyes outside the picture and for a picture without colour.
    """
    face = _upright(image, points)
    if face is None:
        return None
    turn = pose_of(points).yaw
    own = np.median(
        [_median(face, turn, _FOREHEAD), _median(face, turn, _BRIDGE), _median(face, turn, *_UNDER_EYES)],
        axis=0,
    )
    if float(np.hypot(*_lab(own[None, None, :])[0, 0, 1:])) < MIN_CHROMA:
        return None
    skin = np.asarray(_SKIN, dtype=np.float32)
    face = _lab(np.minimum(face * (skin / np.maximum(own, _DARKEST)), 1.0))
    level = float(_lab(skin[None, None, :])[0, 0, 1])
    mouth = float(_median(face, turn, _MOUTH)[1])
    reddest = max(float(_median(face, turn, _NOSE)[1]), float(_median(face, turn, *_BESIDE_NOSE)[1]), mouth)
    across = _cut(face, turn, _LIPS).mean(axis=1)
    redder = float(across[:, 1].max() - np.median(across[:, 1]))
    darker = float(np.median(across[:, 0]) - across[:, 0].min())
    return (level - reddest) + 0.5 * (level - mouth) - 0.5 * redder - 0.3 * darker


def _upright(image: NDArray[np.uint8], points: FacePoints) -> NDArray[np.float32] | None:
    """The face as RGB 0..1, (112, 96, 3), eyes level and 32 px apart; None where there are no two eyes."""
    left, right = np.asarray(points.left_eye), np.asarray(points.right_eye)
    distance = float(np.hypot(*(right - left)))
    height, width = image.shape[:2]
    inside = all(0 <= x < width and 0 <= y < height for x, y in (left, right))
    if distance < 1.0 or not inside:
        return None
    # Only the face is touched, however large the picture is, and a large one is averaged down first.
    middle, reach = (left + right) / 2, _REACH * distance
    x0, y0 = (max(0, int(v)) for v in middle - reach)
    x1, y1 = (max(0, int(v) + 1) for v in middle + reach)
    part = image[y0:y1, x0:x1]
    # By a whole number: OpenCV averages whole pixels six times as fast as parts of them.
    times = max(1, min(int(distance // EYE_PX), *part.shape[:2]))
    shrink = 1.0 / times
    if times > 1:
        size = (part.shape[1] // times, part.shape[0] // times)
        whole = part[: size[1] * times, : size[0] * times]
        part = cv2.resize(whole, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    scale = EYE_PX / (distance * shrink)
    cos, sin = (right - left) / distance * scale
    turn = np.array([[cos, sin], [-sin, cos]])
    move = np.asarray(_MIDDLE) - turn @ ((middle - (x0, y0)) * shrink)
    upright = cv2.warpAffine(
        part, np.column_stack([turn, move]), (_WIDTH, _HEIGHT), borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(upright, dtype=np.float32) / np.float32(255)


def _cut(face: NDArray[np.float32], turn: float, patch: _Patch) -> NDArray[np.float32]:
    aside = float(np.clip(patch.follows * turn, -0.6, 0.6))
    across, down = _MIDDLE
    rows = slice(round(down + patch.top * EYE_PX), round(down + patch.bottom * EYE_PX))
    left, right = (round(across + (side + aside) * EYE_PX) for side in (patch.left, patch.right))
    return face[rows, left:right]


def _median(face: NDArray[np.float32], turn: float, *patches: _Patch) -> NDArray[np.float32]:
    """Median colour over the patches: lashes, highlights and hair do not count."""
    pixels = np.vstack([_cut(face, turn, patch).reshape(-1, 3) for patch in patches])
    return np.asarray(np.median(pixels, axis=0), dtype=np.float32)


def _lab(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb, dtype=np.float32), cv2.COLOR_RGB2LAB))

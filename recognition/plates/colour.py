"""A guess at the colour of a plate, a second opinion on its class."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_HUES: Final = (("yellow", 12, 38), ("green", 38, 92), ("blue", 92, 135))
"""Name, first and last hue of OpenCV's 0..179."""

_MIN_SATURATION: Final = 70
_COLOURED_SHARE: Final = 0.3
_DARK, _BRIGHT = 85.0, 140.0


def guess_colour(plate: NDArray[np.uint8]) -> str | None:
    """blue, yellow, green, white or black of a straightened RGB plate; None when unsure.

    The ground covers more of a plate than its glyphs, so the most frequent saturated hue
    is the ground's; without one, median brightness tells white from black.
    """
    height, width = plate.shape[:2]
    inner = plate[height // 8 : -(height // 8) or None, width // 16 : -(width // 16) or None]
    hue, saturation, value = cv2.split(cv2.cvtColor(inner, cv2.COLOR_RGB2HSV))
    coloured = (saturation > _MIN_SATURATION) & (value > 40)
    if coloured.mean() >= _COLOURED_SHARE:
        shares = {name: float(((hue >= low) & (hue < high) & coloured).mean()) for name, low, high in _HUES}
        name = max(shares, key=lambda key: shares[key])
        return name if shares[name] >= 0.5 * coloured.mean() else None
    brightness = float(np.median(value))
    if brightness < _DARK:
        return "black"
    return "white" if brightness > _BRIGHT else None

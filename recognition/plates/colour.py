"""A guess at the colour of a plate, a second opinion on its class."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_HUES: Final = (("yellow", 12, 48), ("green", 48, 92), ("blue", 92, 135))
"""Name, first and last hue of OpenCV's 0..179."""

_SATURATED: Final = 70
_PALE: Final = 25  # glare washes a ground out, but leaves its hue; in the dark it is only noise
_LEAST_VALUE, _PALE_VALUE = 40, 90
_COLOURED_SHARE: Final = 0.3
_PALE_SHARE: Final = 0.45
_OFFICE_SHARE: Final = 0.25  # of the width, where province and office stand
_DARK, _BRIGHT = 85.0, 140.0


def guess_colour(plate: NDArray[np.uint8]) -> str | None:
    """blue, yellow, green, yellow_green, white or black of a straightened RGB plate; None when unsure.

    The ground covers more of a plate than its glyphs, so the most frequent saturated hue
    is the ground's; without one, median brightness tells white from black. Large new-energy
    plates are green with yellow under province and office; small ones are green from white.
    """
    height, width = plate.shape[:2]
    inner = plate[height // 8 : -(height // 8) or None, width // 16 : -(width // 16) or None]
    colours = np.asarray(cv2.cvtColor(inner, cv2.COLOR_RGB2HSV), dtype=np.uint8)
    split = round(colours.shape[1] * _OFFICE_SHARE)
    if (_ground(colours[:, :split]), _ground(colours[:, split:])) == ("yellow", "green"):
        return "yellow_green"
    brightness = float(np.median(colours[:, :, 2]))
    if (ground := _ground(colours)) is not None:
        return ground
    if brightness < _DARK:
        return "black"
    pale = _ground(colours, _PALE, _PALE_VALUE, _PALE_SHARE)
    return pale or ("white" if brightness > _BRIGHT else None)


def _ground(
    colours: NDArray[np.uint8],
    saturated: int = _SATURATED,
    value: int = _LEAST_VALUE,
    least: float = _COLOURED_SHARE,
) -> str | None:
    """The hue that most coloured pixels have; None where few are coloured or no hue has half of them."""
    coloured = (colours[:, :, 1] > saturated) & (colours[:, :, 2] > value)
    share = float(coloured.mean())
    if share < least:
        return None
    hue = colours[:, :, 0]
    shares = {name: float(((hue >= low) & (hue < high) & coloured).mean()) for name, low, high in _HUES}
    name = max(shares, key=lambda key: shares[key])
    return name if shares[name] >= 0.5 * share else None

"""The part of a picture that is looked at, and at which size.

Time goes with pixels: a frame is cut to where faces can be, and shrunk until the smallest
face that is wanted has just the size that the detector finds.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; right and bottom are exclusive. It may overhang the picture."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class View:
    """How a camera is looked at.

    ``region`` is (left, top, right, bottom) in shares 0..1 of the picture, None for all of it.
    ``smallest_face_px`` is the shorter side, in the picture's own pixels, of the smallest face
    that is wanted; None leaves it to the engine.
    """

    region: tuple[float, float, float, float] | None = None
    smallest_face_px: int | None = None

    def __post_init__(self) -> None:
        if self.region is not None:
            left, top, right, bottom = self.region
            if not (0.0 <= left < right <= 1.0 and 0.0 <= top < bottom <= 1.0):
                raise ValueError(
                    "a region is (left, top, right, bottom) with 0 <= left < right <= 1, likewise down"
                )
        if self.smallest_face_px is not None and self.smallest_face_px < 1:
            raise ValueError("the smallest face has at least one pixel")


EVERYTHING: Final = View()


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What a detector is given, whose pixel (0, 0) begins at ``left``, ``top`` of the picture.

    ``scale`` is its size to the picture's, 0..1; ``across`` and ``down`` are the picture's pixels in
    one of the frame's, which differ a little since a frame has whole pixels.
    """

    pixels: Rgb
    scale: float
    left: int
    top: int
    across: float = 1.0
    down: float = 1.0

    def in_picture(self, x: float, y: float) -> tuple[float, float]:
        """A point of the frame, in the pixels of the whole picture."""
        return x * self.across + self.left, y * self.down + self.top


def frame_of(image: Rgb, view: View, *, found_from_px: int, smallest_face_px: int) -> Frame:
    """Cuts and shrinks a picture for a detector that finds faces from ``found_from_px`` on.

    ``smallest_face_px`` stands in where the view names none. A frame is never enlarged.
    """
    # Late: who only keeps a camera's view needs no picture.
    import cv2

    height, width = image.shape[:2]
    left, top, right, bottom = view.region or (0.0, 0.0, 1.0, 1.0)
    x0, y0 = int(left * width), int(top * height)
    part = image[y0 : max(y0 + 1, round(bottom * height)), x0 : max(x0 + 1, round(right * width))]
    scale = min(1.0, found_from_px / (view.smallest_face_px or smallest_face_px))
    if scale == 1.0:
        return Frame(np.ascontiguousarray(part), 1.0, x0, y0)
    high, wide = part.shape[:2]
    size = (max(1, round(wide * scale)), max(1, round(high * scale)))
    small = np.ascontiguousarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return Frame(small, scale, x0, y0, wide / size[0], high / size[1])

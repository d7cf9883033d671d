"""Turn picture bytes from a device into pixels, or into the reason why not.

Bytes come from cameras over lossy links, and a hostile device may send anything, so
the header is judged before the decoder sees the data, and a bad picture is an
ordinary answer here, never an exception.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.containers import JPEG_MAGIC, PNG_MAGIC, Head, jpeg_head, png_head

MAX_PIXELS: Final = 20_000_000
"""Above this a picture is refused from its header: 20 megapixels take 60 MB decoded and 180 MB
while a progressive JPEG is, and the largest camera sensors in the trade have 12."""

MIN_SIDE: Final = 8
"""Pixels of the shorter side; nothing is recognised in less."""

MAX_ASPECT: Final = 20
"""Longer side to shorter; a stitched panorama has 4, and what is longer is a detector's time wasted."""

MAX_SCANS: Final = 100
MAX_WORK: Final = 300_000_000
"""Pixels times scans. A progressive JPEG has about 10 scans, of which each goes over all pixels;
a few kilobytes can hold thousands."""

_OTHER_MAGICS: Final = (b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"RIFF")
_FILL_ROWS: Final = 16
_FILL_GREY: Final = 128


class Broken(StrEnum):
    """Why bytes are not a usable picture."""

    EMPTY = "empty_picture"
    NOT_AN_IMAGE = "not_an_image"
    UNSUPPORTED = "unsupported_type"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_SCANS = "too_many_scans"
    STRANGE_SHAPE = "strange_shape"
    TRUNCATED = "truncated_picture"
    DAMAGED = "damaged_picture"


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture: ``rgb`` is (height, width, 3), C-contiguous, red first, 0..255.

    ``kind`` is what the bytes are, whatever their name said.
    """

    rgb: NDArray[np.uint8]
    kind: str
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        return int(self.rgb.shape[1])

    @property
    def height(self) -> int:
        return int(self.rgb.shape[0])


@dataclass(frozen=True, slots=True)
class BrokenPicture:
    reason: Broken
    notes: tuple[str, ...] = ()


def decode(data: bytes, claimed: str | None = None) -> Picture | BrokenPicture:
    """Decode JPEG or PNG bytes to RGB, upright by its EXIF orientation.

    ``claimed`` is what the sender called it: a file name, an extension or a media
    type. A wrong name is noted (``png_named_jpeg``) and otherwise ignored.
    """
    if not data:
        return BrokenPicture(Broken.EMPTY)
    kind = _kind(data)
    if kind is None:
        other = data.startswith(_OTHER_MAGICS) or data[4:8] == b"ftyp"
        return BrokenPicture(Broken.UNSUPPORTED if other else Broken.NOT_AN_IMAGE)
    notes = _naming_notes(kind, claimed)
    head = jpeg_head(data) if kind == "jpeg" else png_head(data)
    refused = Broken.DAMAGED if head is None else _refused(head)
    if head is None or refused is not None:
        return BrokenPicture(refused or Broken.DAMAGED, notes)
    rgb = _pixels(head.data)
    if rgb is None:
        return BrokenPicture(Broken.DAMAGED, notes)
    if kind == "jpeg" and _ends_in_fill(rgb):
        return BrokenPicture(Broken.TRUNCATED, notes)
    return Picture(rgb, kind, notes)


def _refused(head: Head) -> Broken | None:
    """Why a picture is not given to the decoder; the worst that it could do comes first."""
    pixels = head.width * head.height
    if pixels > MAX_PIXELS:
        return Broken.TOO_MANY_PIXELS
    if not head.complete:
        return Broken.TRUNCATED
    if pixels == 0:
        return Broken.DAMAGED
    if head.scans > MAX_SCANS or pixels * head.scans > MAX_WORK:
        return Broken.TOO_MANY_SCANS
    short, long = sorted((head.width, head.height))
    return Broken.STRANGE_SHAPE if short < MIN_SIDE or long > MAX_ASPECT * short else None


def _kind(data: bytes) -> str | None:
    if data.startswith(JPEG_MAGIC):
        return "jpeg"
    return "png" if data.startswith(PNG_MAGIC) else None


def _naming_notes(kind: str, claimed: str | None) -> tuple[str, ...]:
    if not claimed:
        return ()
    name = claimed.lower().rpartition("/")[2].rpartition(".")[2]
    name = {"jpg": "jpeg", "jpe": "jpeg", "pjpeg": "jpeg"}.get(name, name)
    return (f"{kind}_named_{name}",) if name in {"jpeg", "png"} and name != kind else ()


def _pixels(data: bytes) -> NDArray[np.uint8] | None:
    try:
        rgb = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error:
        return None
    if rgb is None or rgb.size == 0:
        return None
    return np.ascontiguousarray(rgb, dtype=np.uint8)


def _ends_in_fill(rgb: NDArray[np.uint8]) -> bool:
    """Whether the decoder ran out of data: it paints what is missing in middle grey.

    Some cameras close a cut picture with a proper end marker, so the marker alone
    does not tell. What was last may lie at any side, once the picture is upright. A picture
    that is grey all over is taken for what it is.
    """
    if min(rgb.shape[:2]) <= _FILL_ROWS:
        return False
    sides = (rgb, rgb[::-1], rgb.swapaxes(0, 1), rgb.swapaxes(0, 1)[::-1])
    return any(
        bool((side[-_FILL_ROWS:] == _FILL_GREY).all() and not (side[0] == _FILL_GREY).all()) for side in sides
    )

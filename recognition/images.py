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

MAX_PIXELS: Final = 40_000_000
"""Above this a picture is refused from its header: 40 megapixels are 120 MB decoded,
while the largest camera sensors in the trade have 12."""

_PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
_JPEG_MAGIC: Final = b"\xff\xd8\xff"
_OTHER_MAGICS: Final = (b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"RIFF")
_FRAME_HEADERS: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0..SOF15
_BARE_MARKERS: Final = frozenset({0x01, 0xD8, *range(0xD0, 0xD8)})  # without a length
_FILL_ROWS: Final = 16
_FILL_GREY: Final = 128


class Broken(StrEnum):
    """Why bytes are not a usable picture."""

    EMPTY = "empty_picture"
    NOT_AN_IMAGE = "not_an_image"
    UNSUPPORTED = "unsupported_type"
    TOO_MANY_PIXELS = "too_many_pixels"
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
    header = _jpeg_header(data) if kind == "jpeg" else _png_header(data)
    if header.pixels is None:
        return BrokenPicture(Broken.DAMAGED if header.complete else Broken.TRUNCATED, notes)
    if header.pixels > MAX_PIXELS:
        return BrokenPicture(Broken.TOO_MANY_PIXELS, notes)
    if not header.complete:
        return BrokenPicture(Broken.TRUNCATED, notes)
    rgb = _pixels(data)
    if rgb is None:
        return BrokenPicture(Broken.DAMAGED, notes)
    if kind == "jpeg" and _ends_in_fill(rgb):
        return BrokenPicture(Broken.TRUNCATED, notes)
    return Picture(rgb, kind, notes)


@dataclass(frozen=True, slots=True)
class _Header:
    pixels: int | None  # None where the header gives no usable size
    complete: bool  # the end marker is there


def _kind(data: bytes) -> str | None:
    if data.startswith(_JPEG_MAGIC):
        return "jpeg"
    return "png" if data.startswith(_PNG_MAGIC) else None


def _naming_notes(kind: str, claimed: str | None) -> tuple[str, ...]:
    if not claimed:
        return ()
    name = claimed.lower().rpartition("/")[2].rpartition(".")[2]
    name = {"jpg": "jpeg", "jpe": "jpeg", "pjpeg": "jpeg"}.get(name, name)
    return (f"{kind}_named_{name}",) if name in {"jpeg", "png"} and name != kind else ()


def _png_header(data: bytes) -> _Header:
    complete = b"IEND" in data
    if len(data) < 24 or data[12:16] != b"IHDR":
        return _Header(None, complete)
    pixels = int.from_bytes(data[16:20]) * int.from_bytes(data[20:24])
    return _Header(pixels or None, complete)


def _jpeg_header(data: bytes) -> _Header:
    """Walk the markers; a thumbnail inside a segment has its own end marker and is stepped over."""
    pixels: int | None = None
    at = 2
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            return _Header(pixels, complete=False)
        marker = data[at + 1]
        if marker == 0xD9:
            return _Header(pixels, complete=True)
        if marker == 0xFF:  # fill byte
            at += 1
        elif marker == 0 or marker in _BARE_MARKERS:  # stuffed byte of coded data, restart
            at += 2
        else:
            if marker in _FRAME_HEADERS and at + 9 <= len(data):
                height, width = int.from_bytes(data[at + 5 : at + 7]), int.from_bytes(data[at + 7 : at + 9])
                pixels = max(pixels or 0, height * width) or None
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4]))


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
    does not tell. A picture that is grey all over is taken for what it is.
    """
    if rgb.shape[0] <= _FILL_ROWS:
        return False
    return bool((rgb[-_FILL_ROWS:] == _FILL_GREY).all() and not (rgb[0] == _FILL_GREY).all())

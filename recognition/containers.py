"""What JPEG and PNG bytes say of themselves, read without decoding anything.

A hostile picture is small on the wire and large in memory or in time. What a decoder would
spend is known from the header and from the number of scans, and is found here in one pass
over the bytes.
"""

import re
from dataclasses import dataclass
from typing import Final

PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC: Final = b"\xff\xd8\xff"

MAX_CHUNKS: Final = 16_384
"""Of a PNG; encoders cut a picture into pieces of 2 KB at the least, and an event has 8 MB."""

_FRAME_HEADERS: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0..SOF15
_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
# Neither a stuffed byte of coded data (00), a fill byte (FF), nor without a length (TEM, RST0..7, SOI).
_MARKER: Final = re.compile(rb"\xff([\x02-\xcf\xd9-\xfe])")

# What is needed to draw the picture: everything else (text, profiles, frames of an animation)
# may be compressed, and is none of the decoder's business.
_DRAWN: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf"})
_HEADER_LENGTH: Final = 13
_MAX_EXIF: Final = 65_536


@dataclass(frozen=True, slots=True)
class Head:
    """``width`` and ``height`` in pixels, 0 where the header gives none; ``scans`` is how often a
    decoder goes over the picture; ``complete`` says that the end is there; ``data`` is what a
    decoder may be given.
    """

    width: int
    height: int
    scans: int
    complete: bool
    data: bytes


def jpeg_head(data: bytes) -> Head:
    """Walk the markers; a thumbnail inside a segment has its own end and is stepped over."""
    width = height = scans = 0
    at = 2
    while (found := _MARKER.search(data, at)) is not None:
        marker, at = found[1][0], found.end()
        if marker == _END_OF_IMAGE:
            return Head(width, height, scans, True, data)
        if marker in _FRAME_HEADERS and at + 7 <= len(data):
            high, wide = int.from_bytes(data[at + 3 : at + 5]), int.from_bytes(data[at + 5 : at + 7])
            # Of several the largest: which one a decoder believes is its own affair.
            if high * wide >= width * height:
                width, height = wide, high
        scans += marker == _START_OF_SCAN
        at += max(2, int.from_bytes(data[at : at + 2]))
    return Head(width, height, scans, False, data)


def png_head(data: bytes) -> Head | None:
    """Walk the chunks; None where they are no PNG's: no header first, two of them, or too many."""
    width = height = 0
    kept: list[bytes] = [PNG_MAGIC]
    at, spare = len(PNG_MAGIC), False
    for number in range(MAX_CHUNKS):
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data):
            # Cut in the middle: what was read of the header still says how large it is.
            return Head(width, height, 1, False, data)
        if (number == 0) != (kind == b"IHDR") or (number == 0 and length != _HEADER_LENGTH):
            return None
        if number == 0:
            width, height = int.from_bytes(data[at + 8 : at + 12]), int.from_bytes(data[at + 12 : at + 16])
        if kind not in _DRAWN or (kind == b"eXIf" and length > _MAX_EXIF):
            spare = True
        else:
            kept.append(data[at:end])
        if kind == b"IEND":
            return Head(width, height, 1, True, b"".join(kept) if spare else data)
        at = end
    return None

"""Pictures for simulated devices: real JPEGs of any size that show nothing and nobody.

One grey pixel, and comment segments up to the size that is wanted. Each seed is another file.
"""

import base64
import random
from functools import lru_cache
from typing import Final

_GREY: Final = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8Q"
    "EBEQCgwSExIQEw8QEBD/yQALCAABAAEBAREA/8wABgAQEAX/2gAIAQEAAD8A0s8g/9k="
)
_START: Final = 2
_SEGMENT: Final = 65_000
_SMALLEST: Final = len(_GREY) + 4


def jpeg(size: int, seed: int) -> bytes:
    """A JPEG of exactly `size` bytes, at least the smallest that there is."""
    left = max(size, _SMALLEST + 16) - len(_GREY)
    parts = [_GREY[:_START]]
    noise = _noise(seed % 64)
    position = seed * 977 % 4096
    first = True
    while left > 0:
        length = min(left, _SEGMENT)
        if 0 < left - length < _SMALLEST:
            length -= _SMALLEST
        content = noise[position : position + length - 4]
        if first:
            content = seed.to_bytes(8, "big", signed=True) + content[8:]
            first = False
        parts.append(b"\xff\xfe" + (length - 2).to_bytes(2, "big") + content)
        left -= length
    return b"".join(parts) + _GREY[_START:]


@lru_cache(64)
def _noise(seed: int) -> bytes:
    # Without 0xFF, so that no reader takes it for a marker.
    noise = random.Random(seed).randbytes(_SEGMENT + 4096)
    return noise.replace(b"\xff", b"\x7f")

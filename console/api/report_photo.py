"""The one photo of a report: made anew, so that no note of the phone, its owner or its place stays in it."""

from typing import Final

from console.api.device_registry import PHOTO_MAX
from console.problems import ProblemError

LONGEST_SIDE: Final = 1920
"""Pixels: enough to see what happened, and no more than that."""
_QUALITY: Final = 85


def cleaned(content: bytes) -> bytes:
    """The picture as a JPEG of its pixels alone. Raises a 422 problem (`no_picture`)."""
    # Late: 26 MB that a process needs only once it makes pictures.
    import cv2

    from recognition.images import Picture, decode

    found = decode(content) if len(content) <= PHOTO_MAX else None
    if not isinstance(found, Picture):
        raise ProblemError(422, "no_picture", "A JPEG or PNG of at most 8 MB is expected")
    pixels = cv2.cvtColor(found.rgb, cv2.COLOR_RGB2BGR)
    height, width = pixels.shape[:2]
    scale = LONGEST_SIDE / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    written, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not written:
        raise ProblemError(422, "no_picture", "A JPEG or PNG of at most 8 MB is expected")
    return data.tobytes()

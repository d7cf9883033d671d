"""Who a picture was shown to and when, in the picture itself: what is passed on says by whom."""

import datetime as dt
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np

# Larger pictures are shown smaller: who is on the way needs to know somebody again, not to read a plate.
_LONGEST_PX: Final = 1280
_QUALITY: Final = 80
_MOST_PX: Final = 40_000_000


class NoPictureError(ValueError):
    """The bytes are no picture that can be shown."""


def watermarked(content: bytes, whose: str, at: dt.datetime) -> bytes:
    """A JPEG of a picture with `whose` (an id, no name) and the time, UTC, all over it.

    Raises `NoPictureError`: what cannot be marked is not shown.
    """
    # Late: 26 MB that a process needs only once it makes pictures.
    import cv2
    import numpy as np

    try:
        read = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise NoPictureError from error
    if read is None or read.shape[0] * read.shape[1] > _MOST_PX:
        raise NoPictureError
    image = np.asarray(read, np.uint8)
    height, width = image.shape[:2]
    scale = min(1.0, _LONGEST_PX / max(height, width))
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    marked = _marked(image, f"{_plain(whose)} {at.astimezone(dt.UTC):%Y-%m-%d %H:%MZ}")
    done, out = cv2.imencode(".jpg", marked, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise NoPictureError
    return out.tobytes()


def _marked(image: "np.ndarray", text: str) -> "np.ndarray":
    import cv2
    import numpy as np

    height, width = image.shape[:2]
    size = max(0.3, min(height, width) / 900)
    thick = max(1, round(size * 2))
    (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, thick)
    layer = image.copy()
    # Rows that are set off against each other: cutting one away leaves the next.
    for row, y in enumerate(range(high + 4, height + high, max(high * 4, height // 6))):
        for x in range(-(row % 2) * (wide // 2), width, wide + high * 3):
            for colour, width_of in (((0, 0, 0), thick + 2), ((255, 255, 255), thick)):
                cv2.putText(
                    layer, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, colour, width_of, cv2.LINE_AA
                )
    return np.asarray(cv2.addWeighted(layer, 0.45, image, 0.55, 0), np.uint8)


def _plain(text: str) -> str:
    # The letters of the font are ASCII.
    return "".join(letter if " " < letter < "\x7f" else "_" for letter in text)[:40]

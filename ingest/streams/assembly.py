"""Events of a stream together with their pictures: one message each, as a device would push it.

In a stream a picture is a part of its own behind the event that it belongs to. How many come is
sometimes said in the event, and otherwise shows only when the next event comes, or nothing.
"""

import hashlib
import re
from typing import Final, NamedTuple

from devices.adapters.contract import MAX_BYTES, MAX_PICTURES
from ingest.streams.parts import StreamPart

_PICTURES: Final = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM")
_MARK: Final = b"\xef\xbb\xbf"
# How Hikvision's events say how many pictures follow them.
_PROMISED: Final = re.compile(
    rb"\b(?:picturesNumber|detectionPicturesNumber|picturesNum|picNum)\W{1,8}(\d{1,2})\b", re.IGNORECASE
)
_PLAIN: Final = "text/plain"
# Headers and boundaries of a message, at most.
_AROUND: Final = 65_536


class Message(NamedTuple):
    """A body and its content type, as an adapter reads them."""

    body: bytes
    content_type: str


class Assembler:
    """Holds one event back until its pictures are there. `lost` counts pictures that belong to none."""

    def __init__(self, *, pictures: bool) -> None:
        self.lost = 0
        self._pictures_follow = pictures
        self._event: StreamPart | None = None
        self._pictures: list[StreamPart] = []
        self._promised: int | None = None
        self._size = 0

    @property
    def held(self) -> int:
        """Bytes in memory."""
        return self._size

    @property
    def waiting(self) -> bool:
        """Whether an event is held back."""
        return self._event is not None

    @property
    def promised(self) -> bool:
        """Whether the event that is held back says itself that more pictures come."""
        return self._promised is not None and len(self._pictures) < self._promised

    def add(self, part: StreamPart) -> list[Message]:
        """The messages that are complete with this part."""
        if not part.content.strip():
            return []
        if is_picture(part):
            return self._add_picture(part)
        done = self.flush()
        if not self._pictures_follow or "multipart" in part.content_type:
            return [*done, _alone(part)]
        said = _PROMISED.search(part.content)
        self._promised = int(said.group(1)) if said else None
        if self._promised == 0:
            return [*done, _alone(part)]
        self._event, self._size = part, len(part.content)
        return done

    def flush(self) -> list[Message]:
        """The event that is held back, with the pictures that have come."""
        if self._event is None:
            return []
        message = _together(self._event, self._pictures) if self._pictures else _alone(self._event)
        self._event, self._pictures, self._size = None, [], 0
        return [message]

    def _add_picture(self, part: StreamPart) -> list[Message]:
        full = len(self._pictures) == MAX_PICTURES or self._size + len(part.content) > MAX_BYTES - _AROUND
        if self._event is None or full:
            self.lost += 1
            return []
        self._pictures.append(part)
        self._size += len(part.content)
        return [] if self._promised is None or self.promised else self.flush()


def is_picture(part: StreamPart) -> bool:
    """By its type or, where a camera calls everything an octet stream, by its bytes."""
    start = part.content.removeprefix(_MARK).lstrip()
    if part.content_type.startswith("image/") or part.content.startswith(_PICTURES):
        return True
    words = ("text", "json", "xml", "multipart")
    documents = (b"<", b"{", b"[", b"Code=", b"Events[", b"Heartbeat", b"--")
    return not any(word in part.content_type for word in words) and not start.startswith(documents)


def _alone(part: StreamPart) -> Message:
    return Message(part.content.strip(b"\r\n"), part.content_type or _PLAIN)


def _together(event: StreamPart, pictures: list[StreamPart]) -> Message:
    parts = [event._replace(content=event.content.strip(b"\r\n")), *pictures]
    # From the content, so that what is told twice is the same bytes twice.
    hashed = hashlib.blake2b(digest_size=16)
    for part in parts:
        hashed.update(part.content)
    boundary = hashed.hexdigest().encode()
    body = b"".join(
        b"--" + boundary + b"\r\n" + b"".join(line + b"\r\n" for line in _head(part)) + b"\r\n"
        + part.content + b"\r\n"
        for part in parts
    ) + b"--" + boundary + b"--\r\n"  # fmt: skip
    return Message(body, f"multipart/mixed; boundary={boundary.decode()}")


def _head(part: StreamPart) -> tuple[bytes, ...]:
    # A part needs one header at least, or its first empty line is taken for content.
    return part.head or (b"Content-Type: " + (b"image/jpeg" if is_picture(part) else b"text/plain"),)

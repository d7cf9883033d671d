"""Multipart bodies with pictures in them, and JSON, as devices really write them.

Boundaries that the header does not name, line breaks of one byte or two, parts without a length.
"""

import re
from typing import Any, Final

import msgspec

from devices.adapters.contract import MAX_BYTES, RefusedError
from devices.adapters.fields import read_json, stripped

_MOST_PARTS: Final = 200
_BOUNDARY: Final = re.compile(r'boundary="?([^";,\s]{1,100})"?', re.IGNORECASE)
_BOM: Final = b"\xef\xbb\xbf"


class Part(msgspec.Struct, frozen=True):
    """One part; `kind` is its content type in lower case without parameters, empty where it has none."""

    kind: str
    content: bytes

    @property
    def is_picture(self) -> bool:
        """By its header or, where a camera calls a JPEG an octet stream, by its first bytes."""
        return self.kind.startswith("image/") or self.content[:3] == b"\xff\xd8\xff"


def is_multipart(body: bytes, content_type: str | None) -> bool:
    return "multipart/" in (content_type or "").lower() or body.lstrip()[:2] == b"--"


def read_parts(body: bytes, content_type: str | None) -> tuple[Part, ...]:
    """The parts of a body, empty ones left out. Raises `RefusedError`: too_large, malformed_multipart.

    The boundary is the header's or, where the header has none or another, that of the first line.
    """
    if len(body) > MAX_BYTES:
        raise RefusedError("too_large", f"{len(body)} bytes, at most {MAX_BYTES}")
    first = body.lstrip().split(b"\n", 1)[0].strip()
    named = _BOUNDARY.search(content_type or "")
    boundary = b"--" + named.group(1).encode() if named else first
    if boundary not in body:
        boundary = first
    if len(boundary) <= 2 or not boundary.startswith(b"--"):
        raise RefusedError("malformed_multipart", "no boundary")
    found = []
    for piece in body.split(boundary)[1 : _MOST_PARTS + 1]:
        part = _part(piece)
        if part is not None:
            found.append(part)
    if not found:
        raise RefusedError("malformed_multipart", "no parts")
    return tuple(found)


def _part(piece: bytes) -> Part | None:
    if piece.startswith(b"--"):
        return None
    gap = re.search(rb"\r?\n\r?\n", piece)
    head, content = (piece[: gap.start()], piece[gap.end() :]) if gap else (b"", piece)
    if not gap and re.match(rb"\s*content-", piece, re.IGNORECASE):
        return None
    kind = re.search(rb"content-type:\s*([\w./+-]+)", head, re.IGNORECASE)
    # The line break before the next boundary belongs to the boundary.
    content = content.removesuffix(b"\n").removesuffix(b"\r")
    if not content.strip():
        return None
    return Part(kind.group(1).decode("ascii", "replace").lower() if kind else "", content)


def readable(body: bytes) -> bytes:
    """The body as UTF-8 without a byte order mark; GBK of old firmware is rewritten."""
    cut = body.removeprefix(_BOM)
    try:
        cut.decode()
    except UnicodeDecodeError:
        try:
            return cut.decode("gb18030").encode()
        except UnicodeDecodeError:
            return cut
    return cut


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object behind a byte order mark, in GBK, with blanks around its keys, as one may be.

    Raises `RefusedError`: too_large, malformed_json, not_an_object, invalid_field.
    """
    if len(body) > MAX_BYTES:
        raise RefusedError("too_large", f"{len(body)} bytes, at most {MAX_BYTES}")
    data: dict[str, Any] = stripped(read_json(readable(body)))
    return data

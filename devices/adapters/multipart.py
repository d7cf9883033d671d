"""Bodies in parts, as cameras write them: pictures among the documents, lengths left out, no end.

`forms` reads what a browser would send and leaves files out; here the files matter.
"""

import re
from typing import Final, NamedTuple

from devices.adapters.contract import RefusedError

MAX_PARTS: Final = 64
_BOUNDARY: Final = re.compile(r'boundary=(?:"([^"]{1,200})"|([^";,\s]{1,200}))', re.IGNORECASE)
_FIRST_LINE: Final = re.compile(rb"\s*(--[^\r\n]{1,200}?)[ \t]*\r?\n")
_NAME: Final = re.compile(r'(?<![a-z])name="?([^";\r\n]{1,200})"?', re.IGNORECASE)
_FILE: Final = re.compile(r'filename="?([^";\r\n]{1,200})"?', re.IGNORECASE)


class Part(NamedTuple):
    """One part. `name` is what its headers call it (name, file name and Content-ID), lower case."""

    name: str
    content_type: str
    content: bytes
    # The name of a form's field as it was written; None of a file and of what has no name.
    field: str | None = None


def is_multipart(body: bytes, content_type: str | None) -> bool:
    """By its header or, where that says something else, by its first line."""
    return "multipart" in (content_type or "").lower() or body.lstrip()[:2] == b"--"


def parts(body: bytes, content_type: str | None) -> list[Part]:
    """The parts in their order, empty ones left out. Raises `RefusedError`: malformed_multipart.

    The boundary is the header's, or the first line's where that one does not occur: cameras
    say one and write another. `Content-Length` is not needed and not believed; the last part
    of a stream that was cut off counts.
    """
    found = [part for part in map(_part, _pieces(body, content_type)) if part.content]
    if not found:
        raise RefusedError("malformed_multipart", "no part holds anything")
    return found


def _pieces(body: bytes, content_type: str | None) -> list[bytes]:
    named = _BOUNDARY.search(content_type or "")
    first = _FIRST_LINE.match(body)
    candidates: list[bytes] = []
    if named is not None:
        boundary = b"--" + (named.group(1) or named.group(2)).encode()
        # "boundary=--MIME_boundary" is meant with its dashes by some and without by others.
        candidates += [boundary, boundary[2:]] if boundary.startswith(b"----") else [boundary]
    if first is not None:
        candidates.append(first.group(1))
    for boundary in candidates:
        # Only at the start of a line: a picture may hold the same bytes.
        pieces = re.split(rb"(?:\A\s*|\r?\n)" + re.escape(boundary) + rb"(?=--|[ \t]*\r?\n|\Z)", body)
        if len(pieces) > 1:
            inner = [piece for piece in pieces[1:] if not piece.startswith(b"--")]
            if len(inner) > MAX_PARTS:
                raise RefusedError("malformed_multipart", f"more than {MAX_PARTS} parts")
            return inner
    raise RefusedError("malformed_multipart", "no boundary")


def _part(piece: bytes) -> Part:
    """Headers and content; a part without headers is all content."""
    cut = re.sub(rb"\A[ \t]*\r?\n", b"", piece, count=1)
    gap = re.search(rb"(?:\A|\r?\n)\r?\n", cut)
    if gap is None or cut.lstrip()[:1] in {b"<", b"{"}:
        return Part("", "", cut.strip())
    head = cut[: gap.start()].decode("utf-8", "replace")
    kind, names, field = "", [], None
    for line in head.splitlines():
        label, _, value = line.partition(":")
        match label.strip().lower():
            case "content-type":
                kind = value.strip().lower()
            case "content-disposition":
                named, file = _NAME.search(value), _FILE.search(value)
                names += [found.group(1) for found in (named, file) if found]
                field = named.group(1) if named is not None and file is None else None
            case "content-id":
                names.append(value.strip().strip("<>"))
    return Part(" ".join(names).lower(), kind, cut[gap.end() :].removesuffix(b"\r\n"), field)

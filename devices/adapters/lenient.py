"""JSON as devices really write it, and what lies beside it in a body of several parts."""

from typing import Any, Final, NamedTuple

from devices.adapters.contract import MAX_BYTES, RefusedError
from devices.adapters.fields import read_json, stripped
from devices.adapters.multipart import is_multipart, parts

_BOM: Final = b"\xef\xbb\xbf"


class Pieces(NamedTuple):
    """The parts of a body that are documents, and those that are pictures, each in their order."""

    documents: tuple[bytes, ...]
    pictures: tuple[bytes, ...]


def pieces(body: bytes, content_type: str | None) -> Pieces:
    """A picture is one by its header or, where a camera calls it an octet stream, by its first bytes.

    Raises `RefusedError`: too_large, malformed_multipart.
    """
    if len(body) > MAX_BYTES:
        raise RefusedError("too_large", f"{len(body)} bytes, at most {MAX_BYTES}")
    documents: list[bytes] = []
    pictures: list[bytes] = []
    for part in parts(body, content_type):
        is_picture = part.content_type.startswith("image/") or part.content[:3] == b"\xff\xd8\xff"
        (pictures if is_picture else documents).append(part.content)
    return Pieces(tuple(documents), tuple(pictures))


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
    data: dict[str, Any] = stripped(read_json(body))
    return data


def read_push(body: bytes, content_type: str | None) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    """The JSON object of a push, alone or as one of its parts, and the pictures in the others.

    Raises `RefusedError`, as `pieces` and `read_object` do.
    """
    if not is_multipart(body, content_type):
        return read_object(body), ()
    found = pieces(body, content_type)
    for document in found.documents:
        if document.lstrip()[:1] in {b"{", _BOM[:1]}:
            return read_object(document), found.pictures
    raise RefusedError("malformed_multipart", "no JSON part")

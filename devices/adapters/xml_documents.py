"""XML read as what JSON would have said: elements as fields, repeated ones as lists.

A device's XML needs no document type, and a document type is how XML is made to read files
and to grow without end. It is refused where the parser meets it, before any entity counts.
"""

import re
from typing import Any, Final
from xml.parsers import expat

from devices.adapters.canonical import MAX_DEPTH
from devices.adapters.contract import MAX_BYTES, RefusedError

_DECLARED: Final = re.compile(rb"<\?xml[^>]{0,200}encoding=[\"']([A-Za-z0-9._-]{1,40})[\"']")


def read_xml(body: bytes) -> tuple[str, dict[str, Any]]:
    """The root's name and its fields; namespaces, prefixes and attributes are left out.

    A leaf is its trimmed text. Raises `RefusedError`: too_large, malformed_xml, and
    not_an_object for a root that holds nothing but text.
    """
    if len(body) > MAX_BYTES:
        raise RefusedError("too_large", f"{len(body)} bytes, at most {MAX_BYTES}")
    builder = _Builder()
    # The text is handed over in UTF-8, whatever its declaration says: the parser knows no GBK.
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    try:
        parser.Parse(_decoded(body).encode(), True)
    except expat.ExpatError as error:
        raise RefusedError("malformed_xml", str(error)[:200]) from None
    except UnicodeEncodeError:
        raise RefusedError("malformed_xml", "text that is no Unicode") from None
    name, fields = builder.root
    if not isinstance(fields, dict):
        raise RefusedError("not_an_object", f"{name[:64]} holds no elements")
    return name, fields


class _Builder:
    """Builds the fields while the parser walks the document; depth is bounded."""

    def __init__(self) -> None:
        self._open: list[tuple[str, dict[str, Any], list[str]]] = [("", {}, [])]

    @property
    def root(self) -> tuple[str, Any]:
        return next(iter(self._open[0][1].items()))

    def start(self, name: str, _: dict[str, str]) -> None:
        if len(self._open) > MAX_DEPTH:
            raise RefusedError("malformed_xml", f"nested more than {MAX_DEPTH} deep")
        self._open.append((name.rpartition(":")[2], {}, []))

    def text(self, data: str) -> None:
        self._open[-1][2].append(data)

    def end(self, _: str) -> None:
        name, fields, pieces = self._open.pop()
        value: Any = fields or "".join(pieces).strip()
        parent = self._open[-1][1]
        if name not in parent:
            parent[name] = value
        elif isinstance(parent[name], list):
            parent[name].append(value)
        else:
            parent[name] = [parent[name], value]


def _no_doctype(name: str, *_: object) -> None:
    raise RefusedError("malformed_xml", f"document types are not read: {name[:64]}")


def _decoded(body: bytes) -> str:
    if body[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return body.decode("utf-16", "replace").strip("\0 \t\r\n")
    cut = body.removeprefix(b"\xef\xbb\xbf").strip(b"\0 \t\r\n")
    declared = _DECLARED.match(cut)
    if declared is not None and declared.group(1).lower() in {b"gb2312", b"gbk", b"gb18030"}:
        return cut.decode("gb18030", "replace")
    try:
        return cut.decode()
    except UnicodeDecodeError:
        # Old firmware declares UTF-8 and writes GBK.
        return cut.decode("gb18030", "replace")

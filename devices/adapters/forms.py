"""Forms that devices push over HTTP: url-encoded, or in parts as a browser sends them."""

import re
from typing import Any, Final
from urllib.parse import parse_qsl

from devices.adapters.contract import MAX_BYTES, RefusedError
from devices.adapters.fields import read_json

_MOST_FIELDS: Final = 200
_BOUNDARY: Final = re.compile(r'boundary="?([^";,\s]{1,100})"?', re.IGNORECASE)
_NAME: Final = re.compile(rb'[;\s]name="?([^";\r\n]{1,100})"?', re.IGNORECASE)
_FILE: Final = re.compile(rb"[;\s]filename=", re.IGNORECASE)


def is_form(body: bytes, content_type: str | None) -> bool:
    """Whether a push is a form rather than JSON: by its header or, where that says nothing, by its look."""
    kind = (content_type or "").lower()
    if "json" in kind:
        return False
    if "form" in kind:
        return True
    start = body.lstrip()[:1]
    return start == b"-" or (start not in {b"{", b"[", b"\xef", b""} and b"=" in body)


def read_push(body: bytes, content_type: str | None) -> dict[str, Any]:
    """A push that may be JSON or a form. Raises `RefusedError`, with the codes of both."""
    # Some devices send JSON and call it a form.
    if is_form(body, content_type) and not body.lstrip().startswith(b"{"):
        return dict(read_form(body, content_type))
    return read_json(body)


def read_form(body: bytes, content_type: str | None) -> dict[str, str]:
    """The text fields of a form, files left out; of fields with one name the last.

    Raises `RefusedError`: too_large, malformed_form, malformed_multipart.
    """
    if len(body) > MAX_BYTES:
        raise RefusedError("too_large", f"{len(body)} bytes, at most {MAX_BYTES}")
    if "multipart" in (content_type or "").lower() or body.lstrip().startswith(b"--"):
        return _parts(body, content_type or "")
    try:
        # Text that is no form has no pairs, which `strict_parsing` refuses.
        pairs = parse_qsl(
            _text(body), keep_blank_values=True, strict_parsing=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError as error:
        raise RefusedError("malformed_form", str(error)[:200]) from None
    if not pairs:
        raise RefusedError("malformed_form", "no fields")
    return dict(pairs)


def _parts(body: bytes, content_type: str) -> dict[str, str]:
    named = _BOUNDARY.search(content_type)
    first = body.lstrip().split(b"\n", 1)[0].strip()
    boundary = b"--" + named.group(1).encode() if named else first
    if len(boundary) <= 2:
        raise RefusedError("malformed_multipart", "no boundary")
    found: dict[str, str] = {}
    for part in body.split(boundary)[1 : _MOST_FIELDS + 1]:
        head, gap, content = part.replace(b"\r\n", b"\n").partition(b"\n\n")
        name = _NAME.search(head)
        if gap and name is not None and _FILE.search(head) is None:
            found[_text(name.group(1))] = _text(content.removesuffix(b"\n"))
    if not found:
        raise RefusedError("malformed_multipart", "no fields")
    return found


def _text(raw: bytes) -> str:
    """UTF-8, or GBK from old firmware."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("gb18030", "replace")

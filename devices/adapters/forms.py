"""Forms that devices push over HTTP: url-encoded, or in parts as a browser sends them."""

from typing import Any, Final
from urllib.parse import parse_qsl

from devices.adapters import multipart
from devices.adapters.contract import MAX_BYTES, RefusedError
from devices.adapters.fields import read_json

_MOST_FIELDS: Final = 200


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
    if multipart.is_multipart(body, content_type):
        return _parts(body, content_type)
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


def _parts(body: bytes, content_type: str | None) -> dict[str, str]:
    told = multipart.parts(body, content_type)
    found = {part.field: _text(part.content) for part in told if part.field is not None}
    if not found:
        raise RefusedError("malformed_multipart", "no fields")
    return found


def _text(raw: bytes) -> str:
    """UTF-8, or GBK from old firmware."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("gb18030", "replace")

"""Payloads that are one bare value rather than an object: `ON`, `true`, `online`, 17."""

from typing import Any, Final

import msgspec

from devices.adapters.contract import MAX_BYTES, RefusedError
from devices.adapters.fields import flag

_json = msgspec.json.Decoder()
_BOM: Final = b"\xef\xbb\xbf"


def value_of(body: bytes) -> Any:
    """The JSON value of a payload, or its text where it is none; None for an empty one.

    Raises `RefusedError`: too_large, malformed_json (what begins like an object or a list and
    is none, and what is no text at all).
    """
    if len(body) > MAX_BYTES:
        raise RefusedError("too_large", f"{len(body)} bytes, at most {MAX_BYTES}")
    cut = body.removeprefix(_BOM).strip()
    if not cut:
        return None
    try:
        return _json.decode(cut)
    except RecursionError:
        raise RefusedError("malformed_json", "nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if cut[:1] in {b"{", b"["}:
            raise RefusedError("malformed_json", str(error)[:200]) from None
    try:
        return cut.decode()
    except UnicodeDecodeError:
        raise RefusedError("malformed_json", "neither JSON nor text") from None


def online_of(value: Any) -> bool | None:
    """`online`, `Online`, true, 1 and {"state": "online"} as one; None for what is neither yes nor no."""
    if isinstance(value, dict):
        value = value.get("state")
    if isinstance(value, str) and value.strip().lower() in {"online", "offline"}:
        return value.strip().lower() == "online"
    return flag(value)

"""Identifiers: random ones that sort by time, and ones that are the content itself."""

import hashlib
import secrets
import time


def new_id() -> str:
    """A UUIDv7-shaped identifier: 32 hex digits, the first 12 the Unix time in ms.

    Rows made one after another land beside each other in an index.
    """
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | secrets.randbits(80)
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return f"{value:032x}"


def content_id(*parts: str) -> str:
    """An identifier that is a function of its parts: 32 hex digits of SHA-256.

    The parts are joined with a separator that cannot occur in them by accident, so
    ("ab", "c") and ("a", "bc") differ.
    """
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]

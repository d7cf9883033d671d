"""Bytes that a device sent, so that a person can read them: never markup, never a picture."""

import re
from dataclasses import dataclass
from typing import Final

MOST: Final = 4096
"""Bytes of a message that are shown; who needs more takes it from the API."""

# A picture in base64: whoever mends a device reads the fields around it, not a face.
_PICTURE: Final = re.compile(r"[A-Za-z0-9+/_-]{256,}={0,2}")


@dataclass(frozen=True, slots=True)
class Shown:
    """`text` holds printable letters and line ends only. `left_out`: how many bytes are not shown."""

    text: str
    is_text: bool
    left_out: int


def shown(body: bytes, *, as_hex: bool = False) -> Shown:
    """As text where it is UTF-8 and hex was not asked for; what cannot be printed stands as its escape."""
    try:
        whole = None if as_hex else body.decode()
    except UnicodeDecodeError:
        whole = None
    if whole is None:
        return Shown(_dump(body[:MOST]), is_text=False, left_out=max(0, len(body) - MOST))
    whole = _PICTURE.sub(lambda found: f"{found[0][:24]}… ({len(found[0])} characters)", whole)
    text = whole[:MOST]
    return Shown(_printable(text), is_text=True, left_out=max(0, len(whole) - len(text)))


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() or one in "\n\t" else f"\\x{ord(one):02x}" for one in text)


def _dump(body: bytes) -> str:
    lines = []
    for start in range(0, len(body), 16):
        row = body[start : start + 16]
        letters = "".join(chr(one) if 32 <= one < 127 else "." for one in row)
        lines.append(f"{start:06x}  {row.hex(' '):<47}  {letters}")
    return "\n".join(lines)

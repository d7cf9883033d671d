"""Reading dirty fields: numbers as text, blanks for nothing, times without a zone, pictures as base64.

Everything here answers None for what is not there. Only what makes the whole message
worthless is refused.
"""

import base64
import binascii
import datetime as dt
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from devices.adapters.canonical import MAX_DEPTH, unwanted_in, without_unwanted
from devices.adapters.contract import MAX_BYTES, RefusedError

_json = msgspec.json.Decoder()
MAX_TEXT: Final = 500
"""Characters of a vendor's text that are kept."""
_FAR_PAST: Final = dt.datetime(1970, 1, 2, tzinfo=dt.UTC)


def read_json(body: bytes) -> dict[str, Any]:
    """The message as an object. Raises `RefusedError`: too_large, malformed_json, not_an_object."""
    if len(body) > MAX_BYTES:
        raise RefusedError("too_large", f"{len(body)} bytes, at most {MAX_BYTES}")
    # Some firmware puts a byte order mark in front, or the end of its buffer behind.
    cut = body.removeprefix(b"\xef\xbb\xbf").strip(b"\0 \t\r\n")
    try:
        try:
            value = _json.decode(cut)
        except UnicodeDecodeError:
            # Old firmware writes GBK; bytes that are neither are refused below.
            value = _json.decode(cut.decode("gb18030"))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError("malformed_json", str(error)[:200]) from None
    except RecursionError:
        raise RefusedError("malformed_json", "nested too deeply") from None
    if not isinstance(value, dict):
        raise RefusedError("not_an_object", f"the message is {type(value).__name__}")
    return value


def stripped(value: Any, depth: int = 0) -> Any:
    """The value with blanks cut off its keys, at every depth; some documents carry `"method "`."""
    if depth > MAX_DEPTH:
        raise RefusedError("invalid_field", f"nested more than {MAX_DEPTH} deep")
    if isinstance(value, dict):
        return {str(name).strip(): stripped(item, depth + 1) for name, item in value.items()}
    if isinstance(value, list):
        return [stripped(item, depth + 1) for item in value]
    return value


def section(data: Mapping[str, Any], *path: str) -> dict[str, Any]:
    """The object at a path, or an empty one."""
    value: Any = data
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def text(value: Any) -> str | None:
    """The value as trimmed text; None for blanks, nothing, and what is neither text nor number."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        value = str(value)
    if not isinstance(value, str):
        return None
    # PostgreSQL has no text with a zero character in it.
    cut = value.replace("\0", "").strip()[:MAX_TEXT]
    return cut or None


def number(value: Any) -> float | None:
    """A finite number, also where it is written as text."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        try:
            value = float(value.strip())
        except ValueError:
            return None
    if not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def integer(value: Any) -> int | None:
    """A whole number within 64 bits, also where it is written as text; None for fractions."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -(2**63) <= value < 2**63 else None
    found = number(value)
    if found is None or found != int(found) or not -(2**63) <= found < 2**63:
        return None
    return int(found)


def flag(value: Any) -> bool | None:
    """True and false in the spellings of vendors: 1/0, "true"/"false", "on"/"off", "yes"/"no"."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return None if value not in {0, 1} else bool(value)
    if isinstance(value, str):
        return {
            "1": True, "true": True, "on": True, "yes": True,
            "0": False, "false": False, "off": False, "no": False,
        }.get(value.strip().lower())  # fmt: skip
    return None


def percentage(value: Any) -> float | None:
    """A score that the vendor gives in 0…100, as 0…1; None for what lies outside."""
    found = number(value)
    return found / 100 if found is not None and 0 <= found <= 100 else None


def fraction(value: Any) -> float | None:
    """A score in 0…1; None for what lies outside."""
    found = number(value)
    return found if found is not None and 0 <= found <= 1 else None


_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})[T ]?(\d{2})(\d{2})(\d{2})(\.\d+)?(Z|[+-]\d{2}:?\d{2})?")


def moment(value: Any) -> dt.datetime | None:
    """A time in ISO 8601 or near it: aware UTC where a zone is named, naive where none is.

    Takes `2023-09-18 13:33:33`, `2023/9/8 1:02:03`, `2018-08-15T 15:53:47.000+08:00` and
    `20210411171337`. None where there is no time; a text that is none is None too, since a
    record without its time is worth more than no record: mark it `time_unreadable`.
    """
    found = text(value)
    if found is None:
        return None
    compact = _COMPACT.fullmatch(found)
    if compact is not None:
        year, month, day, hour, minute, second, part, zone = compact.groups()
        found = f"{year}-{month}-{day}T{hour}:{minute}:{second}{part or ''}{zone or ''}"
    else:
        found = re.sub(r"T\s+", "T", found.replace("/", "-"))
        found = re.sub(r"(?<=[-T :])(\d)(?=[-T :]|$)", r"0\1", found)
        # Six digits of a second are what we keep; some vendors write nine.
        found = re.sub(r"(\.\d{6})\d+", r"\1", found)
    try:
        return as_utc(dt.datetime.fromisoformat(found))
    except (ValueError, OverflowError):
        return None


def as_utc(when: dt.datetime) -> dt.datetime:
    """Aware times as UTC; naive ones as they are. Raises `OverflowError`."""
    return when if when.tzinfo is None else when.astimezone(dt.UTC)


def epoch(seconds: Any, microseconds: Any = None) -> dt.datetime | None:
    """Seconds (or milliseconds, by their size) since 1970 as aware UTC; None for zero and nonsense."""
    found = number(seconds)
    if found is None:
        return None
    if abs(found) >= 1e11:
        found /= 1000
    try:
        when = dt.datetime.fromtimestamp(found, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None
    micro = integer(microseconds)
    if micro is not None and 0 <= micro < 1_000_000:
        when = when.replace(microsecond=micro)
    return when if when >= _FAR_PAST else None


def picture(value: Any, role: str, pictures: list[tuple[str, bytes]], marks: list[str]) -> None:
    """Adds a base64 picture to `pictures`, or says in `marks` what is wrong with it.

    A data URL's head is cut off. Nothing, blanks and an empty head add nothing and say nothing.
    """
    if not isinstance(value, str) or not value.strip():
        return
    cut = value.strip()
    if cut.startswith(("data:", "base64,")):
        cut = cut.partition(",")[2] or cut.partition(";")[2]
        if not cut:
            return
    try:
        content = base64.b64decode("".join(cut.split()), validate=True)
    except (binascii.Error, ValueError):
        mark(marks, "bad_base64")
        return
    add_picture(content, role, pictures, marks)


def add_picture(content: bytes, role: str, pictures: list[tuple[str, bytes]], marks: list[str]) -> None:
    """Adds a picture's bytes, marking what is odd about them: kept all the same, as evidence."""
    if not content:
        mark(marks, "picture_unreadable")
        return
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        mark(marks, "png_named_jpeg")
    elif content[:3] != b"\xff\xd8\xff":
        mark(marks, "picture_unreadable")
    elif b"\xff\xd9" not in content[-64:]:
        mark(marks, "picture_truncated")
    pictures.append((role, content))


def mark(marks: list[str], code: str) -> None:
    """Adds a code once."""
    if code not in marks:
        marks.append(code)


def remainder(data: Mapping[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """What a message says beyond its known fields, without what is sensitive or names a person."""
    taken = frozenset(known)
    rest = {name: value for name, value in data.items() if name not in taken}
    kept: dict[str, Any] = without_unwanted(rest)
    return kept


def dropped(data: Any) -> tuple[str, ...]:
    """Paths of the fields that are taken out unread."""
    return tuple(dict.fromkeys(unwanted_in(data)))


def decoded_text(value: Any) -> str | None:
    """Text that a vendor wraps in base64 (UTF-8, or GBK on old firmware); plain text as it is."""
    found = text(value)
    if found is None:
        return None
    try:
        raw = base64.b64decode(found, validate=True)
    except (binascii.Error, ValueError):
        return found
    for encoding in ("utf-8", "gbk"):
        try:
            inner = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if inner and inner.isprintable():
            return inner
    return found

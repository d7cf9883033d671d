"""Reading protobuf messages without their description: fields by number, as they lie on the wire.

Source: the encoding page of Protocol Buffers (wire types 0 varint, 1 fixed64, 2 length-delimited,
5 fixed32; groups are refused).
"""

from typing import Final

from devices.adapters.contract import RefusedError

Value = int | bytes
"""A varint or a fixed number as an unsigned int, anything else as bytes."""

MAX_FIELDS: Final = 100_000


def fields(content: bytes) -> list[tuple[int, Value]]:
    """The fields in their order, each as (number, value). Raises `RefusedError` where it is cut or none."""
    found: list[tuple[int, Value]] = []
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        number, kind = key >> 3, key & 7
        if number == 0 or len(found) >= MAX_FIELDS:
            raise RefusedError("invalid_field", "not a protobuf message")
        value: Value
        if kind == 0:
            value, at = _varint(content, at)
        elif kind in {1, 5}:
            size = 8 if kind == 1 else 4
            value, at = int.from_bytes(_take(content, at, size), "little"), at + size
        elif kind == 2:
            size, at = _varint(content, at)
            value, at = _take(content, at, size), at + size
        else:
            raise RefusedError("invalid_field", "not a protobuf message")
        found.append((number, value))
    return found


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            raise RefusedError("invalid_field", "the protobuf message is cut short")
        byte = content[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (2**64 - 1), at
    raise RefusedError("invalid_field", "not a protobuf message")


def _take(content: bytes, at: int, size: int) -> bytes:
    if at + size > len(content):
        raise RefusedError("invalid_field", "the protobuf message is cut short")
    return content[at : at + size]

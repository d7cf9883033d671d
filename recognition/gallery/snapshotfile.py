"""How a gallery lies in a file: a header, who is in it, and its vectors as they lie in memory.

    magic 8 · version u32 · length of the head u32 · BLAKE2b of all that follows, 32 bytes
    head: msgpack, see `_Head`
    matrix: float32, from the next page on; then the room after it, zeros
    singles: float32, from the next page on

Little-endian throughout, as all machines are that this runs on.
"""

import hashlib
import mmap
import os
import struct
from collections.abc import Collection, Iterator
from typing import Final

import msgspec
import numpy as np

from recognition.gallery.image import Entry, Image
from recognition.gallery.rows import Matrix

VERSION: Final = 1
_MAGIC: Final = b"RWGALRY\n"
_START: Final = struct.Struct("<8sII32s")
_PAGE: Final = 4096
# Room for newcomers, so that they do not move the whole matrix out of the shared memory.
_ROOM: Final = 16
_LEAST_ROOM, _MOST_ROOM = 64, 4096


class NoSnapshotError(Exception):
    """The bytes are no snapshot of this version, or not of this gallery, or damaged."""


class _Head(msgspec.Struct, frozen=True, array_like=True):
    """Of which gallery, its shape, and whose each row is."""

    of: str
    dimension: int
    unit: bool
    room: int
    entries: list[Entry]
    apart: list[str]

    def check(self) -> "_Head":
        """Raises NoSnapshotError for a head that would be read beyond its rows."""
        if (
            self.dimension < 1
            or self.room < len(self.entries)
            or not all(entry.templates for entry in self.entries)
        ):
            raise NoSnapshotError("the head contradicts itself")
        return self


def parts(of: str, image: Image) -> Iterator[bytes | memoryview]:
    """The bytes of a file that holds an image, part by part; ``of`` says which gallery it is."""
    used = len(image.entries)
    room = used + min(max(_LEAST_ROOM, used // _ROOM), _MOST_ROOM)
    head = msgspec.msgpack.encode(
        _Head(
            of,
            image.dimension,
            image.unit,
            room,
            list(image.entries),
            list(image.apart),
        )
    )
    matrix, singles = _bytes(image.matrix[:used]), _bytes(image.singles)
    rest: list[bytes | memoryview] = [
        head,
        bytes(_matrix_at(len(head)) - _START.size - len(head)),
        matrix,
        # Written out, not left as a hole: a page that memory has no room for later is a crash.
        bytes(_singles_at(len(head), room, image.dimension) - _matrix_at(len(head)) - len(matrix)),
        singles,
    ]
    digest = hashlib.blake2b(digest_size=32)
    for part in rest:
        digest.update(part)
    yield _START.pack(_MAGIC, VERSION, len(head), digest.digest())
    yield from rest


def read(descriptor: int, of: str) -> Image:
    """The image in an open file. Its matrix is the file's own memory until it is written to: then
    this process has a copy of that page.

    Raises NoSnapshotError, and OSError.
    """
    head_length, digest = _start(descriptor)
    # A private mapping: what is written to it stays in this process.
    mapped = mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY)
    view = memoryview(mapped)
    if hashlib.blake2b(view[_START.size :], digest_size=32).digest() != digest:
        raise NoSnapshotError("the checksum is another")
    head = _head(bytes(view[_START.size : _START.size + head_length]))
    if head.of != of:
        raise NoSnapshotError("it is of another gallery")
    try:
        matrix = _array(mapped, _matrix_at(head_length), head.room, head.dimension)
        singles = _array(
            mapped, _singles_at(head_length, head.room, head.dimension), len(head.apart), head.dimension
        )
    except ValueError as error:
        raise NoSnapshotError("it ends too early") from error
    return Image(head.unit, head.entries, matrix, head.apart, singles)


def templates(descriptor: int) -> frozenset[str]:
    """The ids of the templates in an open file. Raises NoSnapshotError, and OSError."""
    head_length, _ = _start(descriptor)
    head = _head(os.pread(descriptor, head_length, _START.size))
    return frozenset(template for entry in head.entries for template in entry.templates)


def scrub(descriptor: int, templates: Collection[str]) -> bool:
    """Overwrites what an open file holds of templates, for whoever has it mapped too; whether it had any.

    A person's row goes when all that it was made of goes. The file is no snapshot any more then.
    Raises NoSnapshotError, and OSError.
    """
    head_length, _ = _start(descriptor)
    head = _head(os.pread(descriptor, head_length, _START.size))
    size = head.dimension * 4
    gone = frozenset(templates)
    rows = [row for row, (_, ids) in enumerate(head.entries) if gone.issuperset(ids)]
    apart = [row for row, template in enumerate(head.apart) if template in gone]
    for start, found in (
        (_matrix_at(head_length), rows),
        (_singles_at(head_length, head.room, head.dimension), apart),
    ):
        for row in found:
            os.pwrite(descriptor, bytes(size), start + row * size)
    return bool(rows or apart)


def _start(descriptor: int) -> tuple[int, bytes]:
    start = os.pread(descriptor, _START.size, 0)
    if len(start) < _START.size:
        raise NoSnapshotError("it ends too early")
    magic, version, head_length, digest = _START.unpack(start)
    if (magic, version) != (_MAGIC, VERSION):
        raise NoSnapshotError("it is of another kind or version")
    return head_length, digest


def _head(raw: bytes) -> _Head:
    try:
        return msgspec.msgpack.decode(raw, type=_Head).check()
    except msgspec.MsgspecError as error:
        raise NoSnapshotError("the head cannot be read") from error


def _matrix_at(head_length: int) -> int:
    return -(-(_START.size + head_length) // _PAGE) * _PAGE


def _singles_at(head_length: int, room: int, dimension: int) -> int:
    return -(-(_matrix_at(head_length) + room * dimension * 4) // _PAGE) * _PAGE


def _array(mapped: mmap.mmap, start: int, rows: int, dimension: int) -> Matrix:
    if start + rows * dimension * 4 > len(mapped):
        raise ValueError("beyond the end")
    return np.frombuffer(mapped, np.float32, rows * dimension, start).reshape(rows, dimension)


def _bytes(matrix: Matrix) -> memoryview:
    return np.ascontiguousarray(matrix, "<f4").data.cast("B") if matrix.size else memoryview(b"")

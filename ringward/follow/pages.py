"""SQLite as pages: a copy of the file, then the pages of each look at its log."""

import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from storage.archive import DamagedError
from storage.walfile import Change, Position, Tail

# Longer than this the log is folded: writers wait for a fraction of a second, and it begins anew.
FOLD_FRAMES: Final = 4000
_BATCH: Final = 64
_LEVEL: Final = 1


class Pages:
    """Follows one file. Its folder needs room for a copy while a base is made."""

    name = "sqlite"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tail = Tail(path)
        self._change: Change | None = None

    def begin(self) -> tuple[dict[str, Any], Iterator[list[Any]]]:
        standing = self._tail.begin()
        return self._position(self._tail.position), self._whole(standing)

    def resume(self, position: dict[str, Any]) -> bool:
        return self._tail.resume(Position(str(position.get("salts", "")), int(position.get("frames", 0))))

    def changes(self) -> tuple[dict[str, Any], Iterator[list[Any]]] | None:
        self._change = self._tail.changes()
        if self._change is None:
            return None
        return self._position(self._change.position), _pages(self._change)

    def accept(self) -> None:
        if self._change is not None:
            self._tail.accept(self._change)
            self._change = None
        if self._tail.position.frames > FOLD_FRAMES:
            self._tail.fold()

    def let_go(self) -> None:
        self._tail.let_go()

    def close(self) -> None:
        self._tail.close()

    def _whole(self, standing: sqlite3.Connection) -> Iterator[list[Any]]:
        copy = self._path.with_name("follow.part")
        copy.unlink(missing_ok=True)
        try:
            into = sqlite3.connect(copy)
            try:
                into.execute("PRAGMA journal_mode=OFF")
                into.execute("PRAGMA synchronous=OFF")
                standing.backup(into)
            finally:
                into.close()
            copy.chmod(0o600)
            size = self._tail.page_size
            with copy.open("rb") as file:
                number = 0
                while block := file.read(size * _BATCH):
                    numbered = [
                        [number + n + 1, zlib.compress(block[n * size : (n + 1) * size], _LEVEL)]
                        for n in range(len(block) // size)
                    ]
                    yield ["pages", numbered]
                    number += len(numbered)
            yield ["size", number, size]
        finally:
            copy.unlink(missing_ok=True)

    @staticmethod
    def _position(at: Position) -> dict[str, Any]:
        return {"salts": at.salts, "frames": at.frames}


class PageFile:
    """Puts pages back into a file, in the order in which they were followed."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("x+b")
        path.chmod(0o600)
        self._size = 0
        self._waiting: list[tuple[int, bytes]] = []

    def take(self, frame: list[Any]) -> None:
        """One frame of a base or an increment. Raises `DamagedError`."""
        match frame:
            case ["pages", list(pages)]:
                for number, packed in pages:
                    page = zlib.decompress(packed)
                    if number < 1 or (self._size and len(page) != self._size):
                        raise DamagedError("a page is not what one is")
                    self._size = len(page)
                    self._file.seek((number - 1) * self._size)
                    self._file.write(page)
            case ["size", int(pages), int(size)] if size == self._size:
                self._file.truncate(pages * size)
            case _:
                raise DamagedError("a frame that is no page")

    def close(self) -> None:
        self._file.close()


def _pages(change: Change) -> Iterator[list[Any]]:
    batch: list[list[Any]] = []
    for number, page in change.pages():
        batch.append([number, zlib.compress(page, _LEVEL)])
        if len(batch) == _BATCH:
            yield ["pages", batch]
            batch = []
    if batch:
        yield ["pages", batch]
    yield ["size", change.file_pages, change.page_size]

"""SQLite's write-ahead log, read from outside: which pages were committed since one last looked.

The layout is that of https://www.sqlite.org/fileformat2.html#the_write_ahead_log: a header of
32 bytes, then frames of a header of 24 bytes and one page. Which frames are committed is not
guessed from the file: `PRAGMA wal_checkpoint(PASSIVE)` says how many are.

Nothing may be missed between two looks. A log begins anew, over its old frames, only when all
of it was copied into the database and no reader stands in it. `Tail` therefore always has a
reader open, and lets go of it only once a later one stands. So that the log can begin anew at
all, `fold` holds the writers for a moment, takes the rest into memory, has the log copied, and
steps aside.
"""

import sqlite3
import struct
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_HEADER: Final = 32
_FRAME: Final = 24
_BUSY_S: Final = 30.0
_AGAIN_S: Final = 0.01


class GapError(Exception):
    """What was committed since the last look can no longer be read: a new base is needed."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a log was read: its salts (hexadecimal, "" before the first log), and whole frames."""

    salts: str = ""
    frames: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """What was committed since: where in the log the newest content of every page is, and the file's length.

    Readable until `Tail.accept`.
    """

    log: Path
    page_size: int
    offsets: Mapping[int, int]
    file_pages: int
    position: Position
    # Older than those of the log, whose place in it is written over.
    carried: Mapping[int, bytes] = field(default_factory=dict)

    def pages(self) -> Iterator[tuple[int, bytes]]:
        """Number, from 1, and content of every page. Raises `GapError`."""
        yield from ((n, page) for n, page in self.carried.items() if n not in self.offsets)
        if not self.offsets:
            return
        with self.log.open("rb") as file:
            for number, offset in self.offsets.items():
                file.seek(offset)
                page = file.read(self.page_size)
                if len(page) != self.page_size:
                    raise GapError("the log is shorter than it was")
                yield number, page


class Tail:
    """Follows the log of one database file. For one thread; `close` lets the log go.

    Raises `ValueError` where the file is no database with a write-ahead log.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._asking = self._connect()
        self._held: sqlite3.Connection | None = None
        self._carried: dict[int, bytes] = {}
        self._carried_size = 0
        self.position = Position()
        if self._asking.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            raise ValueError(f"{path.name} has no write-ahead log")
        self._asking.execute("SELECT count(*) FROM sqlite_master").fetchone()
        self.page_size = int(self._asking.execute("PRAGMA page_size").fetchone()[0])

    def begin(self) -> sqlite3.Connection:
        """Holds the log from now on; the connection stands in a state from which `changes` go on."""
        self.let_go()
        self._carried = {}
        # Before the reader stands: what comes between is in its state, and once more in the changes.
        position = Position(*self._committed())
        self._held = self._reader()
        self.position = position
        return self._held

    def resume(self, at: Position) -> bool:
        """Holds the log and goes on where another process stopped; False where that cannot be known."""
        self._swap()
        salts, frames = self._committed()
        if not at.salts or at.salts != salts or at.frames > frames:
            self.let_go()
            return False
        self.position = at
        return True

    def changes(self) -> Change | None:
        """What was committed since; None when nothing was. Raises `GapError`."""
        if self._held is None:
            raise GapError("the log is not held")
        salts, frames = self._committed()
        after = self.position.frames if salts == self.position.salts else 0
        if not salts or frames == after:
            if not self._carried:
                return None
            return Change(self._log, self.page_size, {}, self._carried_size, self.position, self._carried)
        if frames < after:
            raise GapError("the log is shorter than it was")
        offsets: dict[int, int] = {}
        size = 0
        with self._log.open("rb") as file:
            for number in range(after, frames):
                offset = _HEADER + number * (_FRAME + self.page_size)
                file.seek(offset)
                head = file.read(_FRAME)
                if len(head) != _FRAME or head[8:16].hex() != salts:
                    raise GapError("the log holds a frame of another one")
                page, committed = struct.unpack(">II", head[:8])
                offsets[page] = offset + _FRAME
                size = committed or size
        if size == 0:
            raise GapError("the log ends in no commit")
        kept = {page: offset for page, offset in offsets.items() if page <= size}
        carried = {page: content for page, content in self._carried.items() if page <= size}
        return Change(self._log, self.page_size, kept, size, Position(salts, frames), carried)

    def accept(self, change: Change) -> None:
        """The change is safe elsewhere: the log need not be kept for it any longer."""
        self.position = change.position
        self._carried = {}
        self._swap()

    def fold(self) -> bool:
        """Lets the log begin anew: whether it can. Writers wait for what is left to read and to copy."""
        self._committed()
        writer = self._connect()
        try:
            writer.execute("BEGIN IMMEDIATE")
            rest = self.changes()
            if rest is not None:
                # A process that ends before it has shipped these finds another log, and begins anew.
                self._carried, self._carried_size = dict(rest.pages()), rest.file_pages
                self.position = rest.position
            # Nobody can write now, so nothing is missed while no reader of ours stands.
            self.let_go()
            _, frames, copied = self._checkpoint()
            self._held = self._reader()
        finally:
            writer.close()
        return frames == copied

    def let_go(self) -> None:
        """Holds the log no longer; what comes now is missed."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def close(self) -> None:
        self.let_go()
        self._asking.close()

    def _committed(self) -> tuple[str, int]:
        """The log's salts, and how many frames of it are committed."""
        while True:
            before = self._salts()
            busy, frames, _ = self._checkpoint()
            if not busy and frames >= 0 and self._salts() == before:
                return before, frames
            # Somebody else copies the log just now, or it began anew meanwhile.
            time.sleep(_AGAIN_S)

    def _checkpoint(self) -> tuple[int, int, int]:
        busy, frames, copied = self._asking.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return busy, frames, copied

    def _salts(self) -> str:
        try:
            with self._log.open("rb") as file:
                head = file.read(_HEADER)
        except FileNotFoundError:
            return ""
        return head[16:24].hex() if len(head) == _HEADER else ""

    def _swap(self) -> None:
        """A later reader stands before the earlier one leaves."""
        former, self._held = self._held, self._reader()
        if former is not None:
            former.close()

    def _reader(self) -> sqlite3.Connection:
        connection = self._connect()
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return connection

    def _connect(self) -> sqlite3.Connection:
        # As a URI, so that a database which is not there is not made.
        return sqlite3.connect(
            f"{self._path.resolve().as_uri()}?mode=rw",
            uri=True,
            timeout=_BUSY_S,
            isolation_level=None,
            check_same_thread=False,
        )

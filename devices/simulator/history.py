"""What each device believes: what it said, what it was told about that, what it gave up.

One line of JSON an entry. A history knows nothing of the database: it is what the database
is held against.
"""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

import msgspec

What = Literal[
    "told", "lost", "acknowledged", "refused", "broken", "broken_acknowledged", "command", "cut", "back",
    "reset", "unheard",
]  # fmt: skip
"""`told`: it left the device. `lost`: it left the device and arrives nowhere. `acknowledged`: the device
was told that it is safe. `refused`: it was told that it is none. `broken`: it never was a whole
message. `unheard`: an answer came and the device missed it."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """`at` is our clock in seconds since 1970; `device` whose event it is; `happening` counts what happened.

    `said` is the time that the message carried. `ms` is how long the answer took, `by` whose answer
    it was: puback, answer (of the protocol's own, after the commit), http. `digest` is of a
    broken message's bytes.
    """

    at: float
    device: str
    what: What
    happening: int | None = None
    kind: str | None = None
    number: str | None = None
    said: dt.datetime | None = None
    late: bool = False
    mad: bool = False
    ms: float | None = None
    by: str | None = None
    digest: str | None = None


class History:
    """Entries in memory and, where there is a path, in a file as they come."""

    def __init__(self, path: Path | None = None) -> None:
        self.entries: list[Entry] = []
        self._file: IO[bytes] | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb")

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        if self._file is not None:
            self._file.write(msgspec.json.encode(entry) + b"\n")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def read(path: Path) -> Iterator[Entry]:
    """The entries of a file. Raises `OSError`, `msgspec.DecodeError`."""
    with path.open("rb") as file:
        for line in file:
            yield msgspec.json.decode(line, type=Entry)

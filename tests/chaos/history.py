"""What each device said and was told: light, since every process of devices has it."""

import datetime as dt
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

What = Literal["told", "acknowledged", "refused"]
"""`told`: it left the device. `acknowledged`: the device was told that it is safe. `refused`: that it is none."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """`at` is our clock in seconds since 1970; `number` is the record's id as it is stored.

    `said` is the time that the message carried, `by` whose answer it was: puback, answer (of the
    protocol's own, after the commit), http. `ms` is how long the answer took.
    """

    at: float
    device: str
    what: What
    number: str
    said: dt.datetime | None = None
    by: str | None = None
    ms: float | None = None


class Journal:
    """A file of entries, written as they come; several threads and processes may write to one."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def told(self, device: str, number: str, said: dt.datetime) -> None:
        self._add(Entry(time.time(), device, "told", number, said))

    def answered(self, device: str, number: str, by: str, told_at: float, *, ok: bool = True) -> None:
        now = time.time()
        what: What = "acknowledged" if ok else "refused"
        self._add(Entry(now, device, what, number, None, by, round((now - told_at) * 1000, 3)))

    def _add(self, entry: Entry) -> None:
        # One call a line: a line is whole or not there, whoever else writes.
        os.write(self._file, msgspec.json.encode(entry) + b"\n")


def read(paths: Iterable[Path]) -> Iterator[Entry]:
    """The entries of journals that may still be written to."""
    for path in paths:
        if path.exists():
            for line in path.read_bytes().split(b"\n")[:-1]:
                yield msgspec.json.decode(line, type=Entry)

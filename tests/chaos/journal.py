"""A journal of what devices say and are told, in the simulator's form (`devices.simulator.history`).

It imports nothing of Ringward: every process of devices has one, and they start often.
"""

import datetime as dt
import hashlib
import os
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

SYNC_S = 0.2


class Lines:
    """A file of JSON lines that reaches the disk within a moment; several threads may write to one."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._changed = threading.Event()
        threading.Thread(target=self._sync, daemon=True).start()

    def add(self, entry: Any) -> None:
        # One call a line: a line is whole or not there, whoever else writes.
        os.write(self._file, msgspec.json.encode(entry) + b"\n")
        self._changed.set()

    def _sync(self) -> None:
        # What is not yet on the disk when the machine goes was never claimed: that way a journal may err.
        while self._changed.wait():
            self._changed.clear()
            os.fdatasync(self._file)
            time.sleep(SYNC_S)


class Journal:
    """A file of entries, written as they come."""

    def __init__(self, path: Path) -> None:
        self._lines = Lines(path)

    def told(self, record: "Record") -> None:
        if record.broken is None:
            self._add(record, "told")
        else:
            self._add(record, "broken")

    def answered(self, record: "Record", by: str) -> None:
        """The device was told that it is safe, or that it is none; the broker's word is not the latter."""
        what = "acknowledged" if record.broken is None else "broken_acknowledged"
        self._add(record, what, by=by, ms=round((time.time() - record.at) * 1000, 3))

    def _add(self, record: "Record", what: str, **more: Any) -> None:
        entry: dict[str, Any] = {"at": time.time(), "device": record.device, "what": what} | more
        if record.broken is None:
            entry |= {
                "happening": int(record.number.removeprefix("n-")),
                "kind": record.kind,
                "number": record.number,
                "said": record.said,
            }
        else:
            entry["digest"] = record.broken
        self._lines.add(entry)


class Record(msgspec.Struct, frozen=True):
    """One thing that a device says: its kind as Ringward calls it, its number and its time as the device does.

    `at` is when it was said first, in seconds since 1970; `broken` the digest of a message that
    is none.
    """

    device: str
    kind: str
    number: str
    said: dt.datetime
    at: float
    broken: str | None = None


def digest(message: bytes) -> str:
    """By which the checker knows a broken message again among the dead letters."""
    return hashlib.blake2b(message, digest_size=16).hexdigest()

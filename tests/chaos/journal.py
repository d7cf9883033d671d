"""A journal of what devices say and are told, in the simulator's form (`devices.simulator.history`).

It imports nothing of Ringward: every process of devices has one, and they start often.
"""

import datetime as dt
import hashlib
import os
import time
from pathlib import Path
from typing import Any

import msgspec


class Journal:
    """A file of entries, written as they come; several threads and processes may write to one."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

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
        # One call a line: a line is whole or not there, whoever else writes.
        os.write(self._file, msgspec.json.encode(entry) + b"\n")


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

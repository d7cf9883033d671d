"""A copy of the keys: the ring, the vault, and the secret of the embedded broker.

It lies beside the archives and is replaced whenever a backup is made. Because it is one
file and never one a backup, whoever was forgotten before it was made cannot be read in any
archive, however old.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select

from storage.archive import DamagedError
from storage.keys import KeyRing
from storage.secretfile import make_once
from storage.vault import KEYS, SHREDDED, Vault

_ROWS: Final = 1000


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """The files of a deployment that hold keys; the broker's secret may be missing."""

    ring: Path
    bus_secret: Path


@dataclass(frozen=True, slots=True)
class KeyCounts:
    """What a copy holds."""

    keys: int
    shredded: int
    taken_at: dt.datetime


def dump(files: KeyFiles, vault: Vault, at: dt.datetime) -> Iterator[list[Any]]:
    """The frames of a copy; `at` must not be later than the call."""
    yield ["head", {"format": 1, "taken_at": at.isoformat()}]
    yield ["ring", files.ring.read_text()]
    if files.bus_secret.exists():
        yield ["bus", files.bus_secret.read_text()]
    keys = shredded = 0
    with _one_state(vault) as connection:
        streamed = {"yield_per": _ROWS}
        for part in connection.execute(select(KEYS), execution_options=streamed).partitions():
            yield ["keys", [[row.subject, row.ring_key, row.wrapped] for row in part]]
            keys += len(part)
        query = select(SHREDDED).order_by(SHREDDED.c.seq)
        for part in connection.execute(query, execution_options=streamed).partitions():
            yield ["shredded", [[row.subject, row.at.isoformat()] for row in part]]
            shredded += len(part)
    yield ["end", {"keys": keys, "shredded": shredded}]


@contextmanager
def _one_state(vault: Vault) -> Iterator[Connection]:
    """So that nobody is in the copy both as forgotten and with a key."""
    if vault.engine.dialect.name == "sqlite":
        with vault.engine.connect() as connection:
            # The driver begins by itself at the first change only.
            connection.exec_driver_sql("BEGIN")
            yield connection
        return
    with vault.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        yield connection


def check(frames: Iterator[Any]) -> KeyCounts:
    """Reads a copy to its end without keeping anything. Raises `DamagedError`."""
    taken_at: dt.datetime | None = None
    keys = shredded = 0
    ring = False
    for frame in frames:
        match frame:
            case ["head", {"taken_at": str(moment), "format": 1}]:
                taken_at = dt.datetime.fromisoformat(moment)
            case ["ring", str()]:
                ring = True
            case ["bus", str()]:
                pass
            case ["keys", list(rows)]:
                keys += len(rows)
            case ["shredded", list(rows)]:
                shredded += len(rows)
            case ["end", {"keys": said_keys, "shredded": said_shredded}] if taken_at is not None and ring:
                if (said_keys, said_shredded) != (keys, shredded):
                    raise DamagedError("the copy of the keys is not complete")
                return KeyCounts(keys, shredded, taken_at)
            case _:
                break
    raise DamagedError("the copy of the keys is not what one holds")


def is_of(frames: Iterator[Any], ring: KeyRing) -> bool:
    """Whether a copy is of the deployment that this ring belongs to."""
    for frame in frames:
        match frame:
            case ["ring", str(content)]:
                return ring.is_kin(content)
    return False


def load_files(frames: Iterator[Any], files: KeyFiles) -> None:
    """Puts the ring and the broker's secret into place, where there is none of either."""
    for frame in frames:
        match frame:
            case ["ring", str(content)]:
                make_once(files.ring, content)
            case ["bus", str(content)]:
                make_once(files.bus_secret, content)


def load_vault(frames: Iterator[Any], vault: Vault) -> None:
    """Fills an empty vault, in one transaction."""
    with vault.engine.begin() as connection:
        for frame in frames:
            match frame:
                case ["keys", list(rows)] if rows:
                    connection.execute(
                        insert(KEYS),
                        [{"subject": s, "ring_key": number, "wrapped": w} for s, number, w in rows],
                    )
                case ["shredded", list(rows)] if rows:
                    connection.execute(
                        insert(SHREDDED),
                        [{"subject": s, "at": dt.datetime.fromisoformat(moment)} for s, moment in rows],
                    )


def is_empty(vault: Vault) -> bool:
    """Whether the vault has never held a key."""
    with vault.engine.connect() as connection:
        return not any(connection.scalar(select(func.count()).select_from(t)) for t in (KEYS, SHREDDED))


def empty(vault: Vault) -> None:
    """Takes out everything; for a restore that did not come to its end."""
    with vault.engine.begin() as connection:
        for table in (KEYS, SHREDDED):
            connection.execute(delete(table))

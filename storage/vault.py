"""The vault: one key for each person, kept apart from the database and from its backups.

What is sealed for a person can be read only while that person's key is here. Shredding
the key makes every copy unreadable at once: the rows, the pictures, and the backups that
nobody can edit any more. The vault remembers whom it has shredded, so that a restored
backup can be told to forget them too.
"""

import datetime as dt
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import (
    Column,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from storage.columns import UtcTime
from storage.keys import KeyRing, current_ring

# Stands where sealed bytes of the ring have their key's number, which begins at 1.
SUBJECT_MARK: Final = 0
# How old a process's knowledge of shredded keys may be, in seconds.
STALE_S: Final = 1.0
_CHUNK: Final = 500

_metadata = MetaData()
KEYS = Table(
    "subject_keys",
    _metadata,
    Column("subject", String(64), primary_key=True),
    # The ring's key that wraps this one: what a rotation has still to do.
    Column("ring_key", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)
SHREDDED = Table(
    "shredded",
    _metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("subject", String(64), nullable=False, unique=True),
    Column("at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)


class ShreddedError(LookupError):
    """The subject's key is gone, or was never here: what is sealed with it cannot be read."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"no key for subject {subject}")
        self.subject = subject


class Vault:
    """Keys by subject, each wrapped by the newest key of the ring.

    The URL is of a database of its own: a SQLite file beside the ring, or one PostgreSQL
    database for a deployment of several machines.
    """

    def __init__(self, url: str, ring: KeyRing, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._ring = ring
        self._monotonic = monotonic
        self._engine = _engine(url)
        _metadata.create_all(self._engine)
        self._lock = threading.Lock()
        self._held: dict[str, bytes] = {}
        self._seen = 0
        self._checked = float("-inf")

    @classmethod
    def at(cls, path: Path, ring: KeyRing) -> "Vault":
        """The vault in a file of mode 0600; its folder is made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        return cls(f"sqlite:///{path}", ring)

    @property
    def ring(self) -> KeyRing:
        """The ring whose keys wrap the keys in here."""
        return self._ring

    @property
    def engine(self) -> Engine:
        """For backup and restore alone."""
        return self._engine

    def close(self) -> None:
        self._engine.dispose()

    def create(self, subjects: Iterable[str]) -> None:
        """Makes the keys that are missing; durable when it returns. Shredded ones are refused."""
        wanted = sorted(set(subjects))
        for chunk in _chunks(wanted):
            with self._engine.begin() as connection:
                gone = connection.scalar(
                    select(SHREDDED.c.subject).where(SHREDDED.c.subject.in_(chunk)).limit(1)
                )
                if gone is not None:
                    raise ShreddedError(gone)
                wrapped = [(subject, self._wrap(subject, AESGCM.generate_key(256))) for subject in chunk]
                # What wraps it is the first byte's word: another process may rotate at any time.
                rows = [{"subject": subject, "ring_key": key[0], "wrapped": key} for subject, key in wrapped]
                connection.execute(self._insert_missing(), rows)
        self.load(wanted)

    def load(self, subjects: Iterable[str]) -> None:
        """Fetches keys at once that will be asked for one by one."""
        self._refresh()
        missing = [subject for subject in set(subjects) if subject not in self._held]
        for chunk in _chunks(missing):
            with self._engine.connect() as connection:
                rows = connection.execute(
                    select(KEYS.c.subject, KEYS.c.wrapped).where(KEYS.c.subject.in_(chunk))
                ).all()
            opened = {row.subject: self._unwrap(row.subject, row.wrapped) for row in rows}
            with self._lock:
                self._held.update(opened)

    def seal(self, subject: str, field: str, plain: bytes) -> bytes:
        """Seals for a subject, making its key on the first call. Raises `ShreddedError`.

        The field's name is bound in: bytes moved to another column or person do not open.
        """
        nonce = os.urandom(12)
        sealed = AESGCM(self._key(subject, make=True)).encrypt(nonce, plain, _bound(subject, field))
        return bytes([SUBJECT_MARK]) + nonce + sealed

    def open(self, subject: str, field: str, sealed: bytes) -> bytes:
        """Raises `ShreddedError` without the key and `InvalidTag` for altered bytes."""
        return AESGCM(self._key(subject, make=False)).decrypt(
            sealed[1:13], sealed[13:], _bound(subject, field)
        )

    def shred(self, subjects: Sequence[str], at: dt.datetime) -> int:
        """Destroys keys for good and notes whose; returns how many there were.

        Once again is harmless. A subject without a key is noted too, so that nothing can
        be sealed for it later.
        """
        destroyed = 0
        for chunk in _chunks(sorted(set(subjects))):
            with self._engine.begin() as connection:
                known = set(
                    connection.scalars(select(SHREDDED.c.subject).where(SHREDDED.c.subject.in_(chunk)))
                )
                fresh = [{"subject": subject, "at": at} for subject in chunk if subject not in known]
                if fresh:
                    connection.execute(insert(SHREDDED), fresh)
                destroyed += connection.execute(delete(KEYS).where(KEYS.c.subject.in_(chunk))).rowcount
        if self._engine.dialect.name == "sqlite":
            # A write-ahead log or journal would keep the old page with the key on it.
            with self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        with self._lock:
            for subject in subjects:
                self._held.pop(subject, None)
        return destroyed

    def shredded(self, since: int = 0) -> Sequence[tuple[int, str, dt.datetime]]:
        """Who was shredded, as (sequence number, subject, moment), after a sequence number."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(SHREDDED).where(SHREDDED.c.seq > since).order_by(SHREDDED.c.seq))
            return [(row.seq, row.subject, row.at) for row in rows]

    def rewrap(self) -> int:
        """Wraps every key with the ring's newest one; returns how many were changed."""
        changed = 0
        newest = self._ring.newest
        while True:
            with self._engine.begin() as connection:
                rows = connection.execute(
                    select(KEYS.c.subject, KEYS.c.wrapped).where(KEYS.c.ring_key != newest).limit(_CHUNK)
                ).all()
                if not rows:
                    return changed
                connection.execute(
                    update(KEYS)
                    .where(KEYS.c.subject == bindparam("of"))
                    .values(ring_key=bindparam("by"), wrapped=bindparam("again")),
                    [
                        {"of": subject, "by": again[0], "again": again}
                        for subject, again in (
                            (row.subject, self._wrap(row.subject, self._unwrap(row.subject, row.wrapped)))
                            for row in rows
                        )
                    ],
                )
                changed += len(rows)

    def wrapped_by(self) -> dict[int, int]:
        """How many keys each key of the ring wraps."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(KEYS.c.ring_key, func.count()).group_by(KEYS.c.ring_key))
            return dict(rows.all())

    def _key(self, subject: str, *, make: bool) -> bytes:
        self._refresh()
        held = self._held.get(subject)
        if held is None:
            self.load([subject])
            held = self._held.get(subject)
        if held is None and make:
            self.create([subject])
            held = self._held.get(subject)
        if held is None:
            raise ShreddedError(subject)
        return held

    def _refresh(self) -> None:
        """Drops from memory what another process has shredded."""
        now = self._monotonic()
        if now - self._checked < STALE_S:
            return
        fresh = self.shredded(self._seen)
        with self._lock:
            self._checked = now
            for seq, subject, _ in fresh:
                self._seen = max(self._seen, seq)
                self._held.pop(subject, None)

    def _wrap(self, subject: str, key: bytes) -> bytes:
        return self._ring.seal(key, b"vault\x1f" + subject.encode())

    def _unwrap(self, subject: str, wrapped: bytes) -> bytes:
        return self._ring.open(wrapped, b"vault\x1f" + subject.encode())

    def _insert_missing(self) -> Any:
        # Two processes may meet a new subject at once; the first key stays.
        if self._engine.dialect.name == "postgresql":
            return postgresql.insert(KEYS).on_conflict_do_nothing()
        return sqlite.insert(KEYS).on_conflict_do_nothing()


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(
            url,
            pool_size=2,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"options": "-c timezone=UTC"},
        )
    engine = create_engine(url, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        # Deleted keys are overwritten in the file, not only unlinked in it.
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.execute("PRAGMA busy_timeout=30000")
        cursor.close()

    return engine


def _bound(subject: str, field: str) -> bytes:
    return f"{subject}\x1f{field}".encode()


def _chunks(subjects: Sequence[str]) -> Iterable[Sequence[str]]:
    for start in range(0, len(subjects), _CHUNK):
        yield subjects[start : start + _CHUNK]


_vault: Vault | None = None


def install_vault(vault: Vault) -> None:
    """Makes `vault` the one that this process's rows about people are sealed with."""
    global _vault  # noqa: PLW0603 - like the ring: rows are mapped long before the keys are read
    _vault = vault


def current_vault() -> Vault:
    if _vault is None:
        raise RuntimeError("no vault installed: call storage.vault.install_vault first")
    return _vault


def seal_for(subject: str, field: str, text: str | None) -> bytes | None:
    """A text sealed for a person; None stays None."""
    return None if text is None else current_vault().seal(subject, field, text.encode())


def open_for(subject: str, field: str, sealed: bytes | None) -> str | None:
    """What `seal_for` sealed, or None where there is nothing or the person's key is gone."""
    plain = open_bytes(subject, field, sealed)
    return None if plain is None else plain.decode()


def open_bytes(subject: str, field: str, sealed: bytes | None) -> bytes | None:
    """Like `open_for` for bytes. Rows sealed by the ring, before there was a vault, open too."""
    if sealed is None:
        return None
    if sealed[0] != SUBJECT_MARK:
        return current_ring().open(sealed)
    try:
        return current_vault().open(subject, field, sealed)
    except ShreddedError:
        return None

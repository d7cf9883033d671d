"""`ringward backup`: everything that cannot be made again, in one encrypted file, while it runs.

The archive holds no keys. They go into a file of their own beside the archives, which every
run replaces: whoever has been forgotten since cannot be read in any older archive either.
"""

import datetime as dt
import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import structlog
from sqlalchemy import select, update

from ringward import schema
from ringward.foundation import Foundation
from ringward.keysfile import check_own, copy_keys
from ringward.manifest import (
    FORMAT,
    KEYS_FILE,
    KIND,
    SUFFIX,
    Manifest,
    Progress,
    silent,
    totals_of,
    walk,
)
from storage import anchors, dump, new_id
from storage.archive import Writer, frame, write_file
from storage.audit import AuditEntry, append
from storage.backups import BackupRun
from storage.keycopy import KeyCounts
from storage.media import MediaNotFoundError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was written, read back, and found to hold what it should."""

    archive: Path
    size: int
    manifest: Manifest
    keys: KeyCounts


@dataclass(frozen=True, slots=True)
class Archive:
    """A file at a destination, and what the database remembers of making it."""

    path: Path
    size: int
    verified_at: dt.datetime | None
    sha256: str | None


def make(
    ground: Foundation,
    destination: Path,
    passphrase: str,
    *,
    label: str | None = None,
    progress: Progress = silent,
) -> Made:
    """Writes an archive and a fresh copy of the keys into a folder, which is made.

    The archive has its name only once it was read back whole and the keys lie beside it.
    Raises `OSError` and `storage.archive.ArchiveError`; no file is then left that looks
    like a backup.
    """
    with alone(destination):
        return _make(ground, destination, passphrase, label, progress)


def _make(
    ground: Foundation, destination: Path, passphrase: str, label: str | None, progress: Progress
) -> Made:
    # Known before an hour of work, and looked at again when it matters.
    check_own(destination, passphrase, ground.ring)
    at = ground.clock.now()
    path = destination / _name(at)
    if path.exists():
        raise FileExistsError(f"{path.name} is there already")
    size = 0
    manifest: Manifest | None = None
    keys: KeyCounts | None = None

    def write(file: BinaryIO) -> None:
        nonlocal size
        writer = Writer(file, passphrase, KIND)
        for value in _content(ground, at, progress):
            frame(writer, value)
        writer.finish()
        size = writer.size

    def check(partial: Path) -> None:
        nonlocal manifest, keys
        manifest = walk(partial, passphrase, progress=lambda what, n: progress(f"verify {what}", n))
        # Before the archive has its name: without keys it would be a heap of bytes.
        keys = copy_keys(ground, destination, passphrase)

    write_file(path, write, check)
    assert manifest is not None
    assert keys is not None
    run = BackupRun(
        id=new_id(),
        destination=place(ground, destination),
        label=_label(destination, label),
        started_at=at,
        verified_at=ground.clock.now(),
        size=size,
        archive_hash=manifest.sha256,
        keys_copied_at=keys.taken_at,
    )
    note(ground, run, f"{manifest.rows} rows, {manifest.pictures} pictures")
    log.info("backup.made", rows=manifest.rows, pictures=manifest.pictures, size=size)
    return Made(path, size, manifest, keys)


def make_keys_only(
    ground: Foundation, destination: Path, passphrase: str, *, label: str | None = None
) -> KeyCounts:
    """Replaces the copy of the keys alone: an erasure has then reached every archive beside it."""
    with alone(destination):
        keys = copy_keys(ground, destination, passphrase)
    run = BackupRun(
        id=new_id(),
        destination=place(ground, destination),
        label=_label(destination, label),
        started_at=keys.taken_at,
        verified_at=None,
        size=None,
        archive_hash=None,
        keys_copied_at=keys.taken_at,
    )
    note(ground, run, f"{keys.keys} keys")
    return keys


def place(ground: Foundation, destination: Path) -> str:
    """A destination's name in the database: a keyed hash, for a path may say who runs the machine."""
    return ground.ring.fingerprint("backup destination", str(destination.resolve()))


def found_at(ground: Foundation, destination: Path) -> list[Archive]:
    """The archives in a folder, oldest first."""
    with ground.database.read() as session:
        runs = session.execute(
            select(BackupRun.started_at, BackupRun.verified_at, BackupRun.archive_hash).where(
                BackupRun.destination == place(ground, destination), BackupRun.archive_hash.is_not(None)
            )
        ).all()
    known = {_name(run.started_at): run for run in runs}
    archives = []
    for path in sorted(destination.glob(f"*{SUFFIX}")):
        run = known.get(path.name)
        archives.append(
            Archive(
                path,
                path.stat().st_size,
                run.verified_at if run else None,
                run.archive_hash if run else None,
            )
        )
    return archives


def _name(at: dt.datetime) -> str:
    return f"ringward-{at:%Y%m%dT%H%M%S}Z{SUFFIX}"


@contextmanager
def alone(destination: Path) -> Iterator[None]:
    """The only backup into this folder. Takes away what killed ones have left half done."""
    destination.mkdir(parents=True, exist_ok=True)
    handle = os.open(destination, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for left in (*destination.glob(f"*{SUFFIX}.part"), *destination.glob(f"{KEYS_FILE}.part")):
            left.unlink(missing_ok=True)
        yield
    finally:
        os.close(handle)


def _content(ground: Foundation, at: dt.datetime, progress: Progress) -> Iterator[list[Any]]:
    tables: dict[str, int] = {}
    table = ""
    with ground.database.read() as session:
        # One state of everything, however long it takes; writers are not held up.
        options = {} if ground.database.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        connection = session.connection(execution_options=options)
        yield [
            "head",
            {
                "format": FORMAT,
                "made_at": at.isoformat(),
                "revision": dump.revision_of(connection),
                "database": connection.dialect.name,
            },
        ]
        for value in dump.dump(connection, schema.metadata):
            if value[0] == dump.TABLE:
                table = value[1]
                tables[table] = 0
            else:
                tables[table] += len(value[1])
                progress(table, tables[table])
            yield value
    # A picture is stored before its event is committed: listed after the rows were read, all
    # that they name are there.
    pictures = size = gone = 0
    for media_id in ground.media.list():
        try:
            sealed = ground.media.sealed(media_id)
        except MediaNotFoundError:
            gone += 1
            yield ["gone", media_id]
            continue
        yield ["picture", media_id, hashlib.sha256(sealed).hexdigest(), sealed]
        pictures += 1
        size += len(sealed)
        progress("pictures", pictures)
    yield ["end", totals_of(tables, pictures, size, gone)]


def note(ground: Foundation, run: BackupRun, detail: str, action: str = "backup.made") -> None:
    """Remembers a run, and in the audit log that there was one."""
    with ground.database.write() as session:
        # The copy at this destination is one; every run that put an archive there shares it.
        session.execute(
            update(BackupRun)
            .where(BackupRun.destination == run.destination)
            .values(keys_copied_at=run.keys_copied_at)
        )
        session.add(run)
        append(
            session,
            ground.clock.now(),
            AuditEntry(
                "cli",
                "administrator",
                action,
                "operation",
                f"backup:{run.id}",
                f"{run.label}: {detail}",
            ),
        )
    anchors.write(ground.database, ground.settings.anchor_file, ground.ring, ground.clock.now())


def _label(destination: Path, label: str | None) -> str:
    return (label or destination.resolve().name or "backup")[:64]

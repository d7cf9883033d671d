"""`ringward restore`: an archive and the keys beside it become a deployment again.

Only into an empty place, and whole or not at all: the files come together in a folder
beside the new one and get its name at the very end. Who was forgotten after the backup was
made is forgotten again before anything can be asked.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import MetaData, Table, inspect, text, update

from registry.models import GalleryRevision
from ringward.foundation import Foundation, lay, media_store
from ringward.keysfile import check_keys
from ringward.manifest import KEYS_KIND, Manifest, Progress, silent, walk
from ringward.settings import Settings
from storage import Clock, Database, anchors, audit, dump, keycopy, migrate, partitions, ringmark
from storage.archive import ArchiveError, DamagedError, Reader, frames
from storage.audit import AuditEntry, append
from storage.keycopy import KeyCounts
from storage.ringmark import ForeignRingError
from storage.secretfile import sync_folder

log = structlog.get_logger(__name__)

# What was true of the machine that made the backup, not of this one: who is signed in, which
# links and repeated requests are open, who holds a gallery in memory.
NOT_OURS: Final = (
    "user_sessions",
    "setup_links",
    "half_sign_ins",
    "provider_requests",
    "sign_in_failures",
    "idempotency_keys",
    "gallery_holders",
)


class NotEmptyError(ArchiveError):
    """There is something where the deployment is to be restored to."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not empty: restore into an empty place")
        self.what = what


class TooNewError(ArchiveError):
    """A newer version of Ringward made the archive."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"the archive's schema is {revision}, which this version does not know: update first"
        )
        self.revision = revision


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back. `tables` were counted in the restored database, and agree with the archive."""

    manifest: Manifest
    keys: KeyCounts
    forgotten_again: int


@dataclass(frozen=True, slots=True)
class Origin:
    """What the audit log is told of where a deployment came from: codes and counts."""

    subject: str
    detail: str


def restore(
    archive: Path,
    keys: Path,
    settings: Settings,
    passphrase: str,
    clock: Clock,
    *,
    progress: Progress = silent,
) -> Restored:
    """Restores into the data directory, database, vault and picture store of the settings.

    All four must be empty. Installs the restored keys in this process. Raises
    `storage.archive.ArchiveError` and `OSError`; what was made until then is taken away.
    """
    # Everything is read once before anything is written: a cut or altered archive shows here.
    counted = check_keys(keys, passphrase)
    manifest = walk(archive, passphrase, progress=lambda what, n: progress(f"verify {what}", n))
    if not migrate.knows(manifest.revision):
        raise TooNewError(manifest.revision)
    forgotten = into_empty_place(
        settings,
        keys,
        passphrase,
        clock,
        lambda ground: _fill(ground, archive, passphrase, manifest, progress),
        Origin(f"archive:{manifest.sha256}", f"{manifest.rows} rows, {manifest.pictures} pictures"),
    )
    log.info("backup.restored", rows=manifest.rows, pictures=manifest.pictures, forgotten=forgotten)
    return Restored(manifest, counted, forgotten)


def into_empty_place(
    settings: Settings,
    keys: Path,
    passphrase: str,
    clock: Clock,
    fill: Callable[[Foundation], None],
    origin: Origin,
) -> int:
    """Lays a deployment on the copy of the keys, has it filled, and gives it its name at the very end.

    `fill` must leave the present schema. Returns how many people were forgotten again. Raises
    what `restore` raises, and takes away what was made until then.
    """
    home = settings.data_dir
    if home.exists() and any(home.iterdir()):
        raise NotEmptyError(str(home))
    staging = home.with_name(f"{home.name}.restoring")
    shutil.rmtree(staging, ignore_errors=True)
    staged = settings.model_copy(update={"data_dir": staging})
    undo: list[Callable[[], None]] = [lambda: shutil.rmtree(staging, ignore_errors=True)]
    try:
        ground = replace(_ground(staged, keys, passphrase, undo), clock=clock)
        try:
            fill(ground)
            forgotten = _settle(ground, origin)
        finally:
            ground.database.close()
            ground.vault.close()
        home.parent.mkdir(parents=True, exist_ok=True)
        if home.exists():
            home.rmdir()
        staging.rename(home)
        sync_folder(home.parent)
    except BaseException:
        for step in reversed(undo):
            step()
        raise
    return forgotten


def _ground(staged: Settings, keys: Path, passphrase: str, undo: list[Callable[[], None]]) -> Foundation:
    """Lays the ground on the restored keys, once every place is known to be empty."""
    for label, there in _occupied(staged):
        if there:
            raise NotEmptyError(label)
    files = keycopy.KeyFiles(staged.key_file, staged.bus_secret_file)
    with keys.open("rb") as file:
        keycopy.load_files(frames(Reader(file, passphrase, KEYS_KIND)), files)
    ground = lay(staged)
    if not keycopy.is_empty(ground.vault):
        raise NotEmptyError("the vault")
    if any(True for _ in ground.media.list()):
        raise NotEmptyError("the picture store")
    undo.append(lambda: keycopy.empty(ground.vault) if staged.vault_url else None)
    undo.append(lambda: _drop_all(staged) if staged.database_url else None)
    undo.append(lambda: _drop_pictures(staged, ground) if staged.media_url else None)
    with keys.open("rb") as file:
        keycopy.load_vault(frames(Reader(file, passphrase, KEYS_KIND)), ground.vault)
    return ground


def _occupied(staged: Settings) -> list[tuple[str, bool]]:
    if staged.database_url is None:
        return []
    database = Database(staged.database)
    try:
        return [("the database", bool(inspect(database.engine).get_table_names()))]
    finally:
        database.close()


def _fill(ground: Foundation, archive: Path, passphrase: str, manifest: Manifest, progress: Progress) -> None:
    """The rows as they were, at the revision they were of, and the pictures; then the present schema."""
    put = 0

    def picture(media_id: str, sealed: bytes) -> None:
        nonlocal put
        ground.media.put_sealed(media_id, sealed)
        put += 1
        progress("restore pictures", put)

    migrate.upgrade(ground.database, manifest.revision)
    with migrate.unhindered(ground.database) as connection:
        loader = dump.Loader(connection)
        walk(
            archive,
            passphrase,
            row=loader.take,
            picture=picture,
            progress=lambda what, n: None if what == "pictures" else progress(f"restore {what}", n),
        )
        loader.close()
        if dump.counts(connection, list(manifest.tables)) != dict(manifest.tables):
            raise DamagedError("the database does not hold as many rows as the archive")
    migrate.upgrade(ground.database)


def _settle(ground: Foundation, origin: Origin) -> int:
    """Makes the old state fit the present; returns how many people were forgotten again."""
    at = ground.clock.now()
    try:
        ringmark.ensure(ground.database, ground.ring, at)
    except ForeignRingError:
        raise DamagedError("the keys are not those of this backup: take both from the same folder") from None
    with ground.database.write() as session:
        broken = audit.verify(session)
        if broken is not None:
            raise DamagedError(f"the audit log of the backup is broken at row {broken}")
        for name in NOT_OURS:
            session.execute(Table(name, MetaData()).delete())
        # Whoever still runs with an older copy of a gallery must read it anew.
        session.execute(update(GalleryRevision).values(revision=GalleryRevision.revision + 1))
        append(
            session,
            at,
            AuditEntry(
                "cli",
                "administrator",
                "backup.restored",
                "operation",
                origin.subject,
                origin.detail,
            ),
        )
    from privacy.erasures import forget_again

    forgotten = forget_again(ground.database, ground.media, ground.vault, at)
    anchors.write(ground.database, ground.settings.anchor_file, ground.ring, at)
    return forgotten


def _drop_all(staged: Settings) -> None:
    database = Database(staged.database)
    try:
        # Nobody else is there: reading what there is may take its time.
        with migrate.unhindered(database) as connection:
            found = MetaData()
            # Pieces go with the table that they are of.
            pieces = partitions.names(connection)
            found.reflect(connection, only=lambda name, _metadata: name not in pieces)
            found.drop_all(connection)
            if not database.is_sqlite:
                # Triggers call them; the next attempt makes them again.
                for function in ("audit_append_only", "event_amendments_follow"):
                    connection.execute(text(f"DROP FUNCTION IF EXISTS {function}()"))
    finally:
        database.close()


def _drop_pictures(staged: Settings, ground: Foundation) -> None:
    media = media_store(staged, ground.ring)
    media.delete_all(media.list())

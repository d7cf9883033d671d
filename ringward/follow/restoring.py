"""The state of a moment out of a followed backup, into an empty place."""

import datetime as dt
import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from cryptography.exceptions import InvalidTag
from sqlalchemy import text

from ringward import schema
from ringward.follow import layout
from ringward.follow.layout import Head, Series
from ringward.follow.pages import PageFile
from ringward.follow.pictures import file_name
from ringward.foundation import Foundation
from ringward.keysfile import check_keys
from ringward.manifest import KEYS_FILE, Progress, silent
from ringward.restore import Origin, TooNewError, into_empty_place
from ringward.settings import Settings
from storage import Clock, Database, dump, migrate
from storage.archive import DamagedError
from storage.keycopy import KeyCounts
from storage.objects import Directory

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Followed:
    """What came back. `state_at`: everything that was committed until then, nothing later."""

    state_at: dt.datetime
    series: str
    steps: int
    rows: int
    pictures: int
    # Named by the backup, but let go in it since.
    pictures_gone: int
    keys: KeyCounts
    forgotten_again: int


def restore(
    destination: Path,
    settings: Settings,
    passphrase: str,
    clock: Clock,
    *,
    until: dt.datetime | None = None,
    keys: Path | None = None,
    progress: Progress = silent,
) -> Followed:
    """Brings back the newest state that is not after `until`; the very newest without it.

    Into an empty place like `ringward.restore.restore`, and into either kind of database.
    Raises `NothingThenError`, other `storage.archive.ArchiveError`s and `OSError`.
    """
    keys = keys or destination / KEYS_FILE
    counted = check_keys(keys, passphrase)
    series, base, steps = layout.chosen(layout.all_series(destination), until, passphrase)
    done: dict[str, Any] = {}

    def fill(ground: Foundation) -> None:
        listed: dict[str, str] = {}
        done["at"], done["rows"] = _put_rows(
            ground, series, base, steps, passphrase, until=until, listed=listed, progress=progress
        )
        done["pictures"] = _put_pictures(ground, destination, listed, progress)
        done["gone"] = len(listed) - done["pictures"]

    forgotten = into_empty_place(
        settings,
        keys,
        passphrase,
        clock,
        fill,
        Origin(f"followed:{series.name}", f"increment {len(steps)}"),
    )
    log.info("follow.restored", series=series.name, steps=len(steps), forgotten=forgotten)
    return Followed(
        done["at"], series.name, len(steps), done["rows"], done["pictures"], done["gone"], counted, forgotten
    )


def _put_rows(
    ground: Foundation,
    series: Series,
    base: Head,
    steps: list[Path],
    passphrase: str,
    *,
    until: dt.datetime | None,
    listed: dict[str, str],
    progress: Progress,
) -> tuple[dt.datetime, int]:
    """The rows, at the present schema; of which moment they are, and how many."""
    staging = ground.settings.data_dir

    def replay(take: Callable[[list[Any]], None]) -> dt.datetime:
        return _replay(series, base, steps, passphrase, listed, take, progress)

    if base.source == "sqlite":
        here = staging / "ringward.db"
        path = here if ground.database.is_sqlite else staging / "followed.part"
        file = PageFile(path)
        try:
            at = replay(file.take)
        finally:
            file.close()
        database = ground.database if path == here else Database.at(path)
        try:
            _check(database)
            if database is not ground.database:
                _carry(database, ground.database, progress)
            return at, _rows(ground.database)
        finally:
            if database is not ground.database:
                database.close()
                for left in staging.glob("followed.part*"):
                    left.unlink()
    if base.source != layout.LOGGED:
        raise DamagedError(f"{base.source} is no database that this version knows")
    from ringward.follow.postgres import recovered

    with recovered(ground.settings, base.position["url"], replay, until) as (at, url):
        database = Database(url)
        try:
            _carry(database, ground.database, progress)
        finally:
            database.close()
    return at, _rows(ground.database)


def _replay(
    series: Series,
    base: Head,
    steps: list[Path],
    passphrase: str,
    listed: dict[str, str],
    take: Callable[[list[Any]], None],
    progress: Progress,
) -> dt.datetime:
    """Hands over the base and its increments in order, each proven to follow the one before."""

    def split(value: list[Any]) -> None:
        if value[0] == "pictures":
            listed.update((media_id, digest) for media_id, digest in value[1])
        else:
            take(value)

    head, digest = layout.read(series.base, passphrase, layout.BASE_KIND, split)
    for number, path in enumerate(steps, 1):
        whole = f"what is whole reaches to --until {head.at.isoformat()}"
        try:
            following, found = layout.read(path, base.secret, layout.STEP_KIND, split)
        except DamagedError as damaged:
            raise DamagedError(f"increment {path.name} of {series.name}: {damaged}; {whole}") from None
        if following.number != number or following.previous != digest:
            raise DamagedError(f"increment {number} of {series.name} is missing or another one; {whole}")
        head, digest = following, found
        progress("increments", number)
    return head.at


def _check(database: Database) -> None:
    """A file of pages is a database. Raises `DamagedError` and `TooNewError`; then brings it up to date."""
    with database.engine.connect() as connection:
        said = connection.scalar(text("PRAGMA quick_check(1)"))
        if said != "ok":
            raise DamagedError(f"the pages do not make a database: {said}")
        revision = dump.revision_of(connection)
    if not migrate.knows(revision):
        raise TooNewError(revision)
    migrate.upgrade(database)


def _carry(source: Database, target: Database, progress: Progress) -> None:
    """Every row of one database into another, empty one. Raises `TooNewError`."""
    with source.engine.connect() as connection:
        revision = dump.revision_of(connection)
    if not migrate.knows(revision):
        raise TooNewError(revision)
    migrate.upgrade(source)
    migrate.upgrade(target)
    with ExitStack() as stack:
        reading = stack.enter_context(source.engine.connect())
        connection = stack.enter_context(migrate.unhindered(target))
        loader = dump.Loader(connection)
        for value in dump.dump(reading, schema.metadata):
            loader.take(value)
            if value[0] == dump.ROWS:
                progress("rows", sum(loader.counts.values()))
        loader.close()


def _rows(database: Database) -> int:
    with database.engine.connect() as connection:
        return sum(dump.counts(connection, [table.name for table in schema.metadata.sorted_tables]).values())


def _put_pictures(ground: Foundation, destination: Path, listed: dict[str, str], progress: Progress) -> int:
    """Back into the store, each as it was listed. Raises `DamagedError`."""
    folder = destination / layout.FOLDER / layout.PICTURES
    copies = Directory(folder) if folder.is_dir() else None
    put = 0
    for media_id, digest in listed.items():
        try:
            sealed = copies.read(file_name(media_id)) if copies else None
        except FileNotFoundError:
            continue
        if sealed is None:
            continue
        ground.media.put_sealed(media_id, sealed)
        # A later base has it sealed again where the keys were rotated; then its content says whose it is.
        if hashlib.sha256(sealed).hexdigest() != digest and not _is_itself(ground, media_id):
            raise DamagedError(f"picture {media_id} is not what was copied")
        put += 1
        progress("pictures", put)
    return put


def _is_itself(ground: Foundation, media_id: str) -> bool:
    """Whether the bytes open, and are those that the picture's name was made of."""
    try:
        return (
            ground.media.sealed_by(media_id) > 0
            and ground.media.id_of(ground.media.get(media_id)) == media_id
        )
    except (InvalidTag, KeyError, LookupError):
        return False

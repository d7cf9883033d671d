"""Bringing a database to the present schema, while others work in it, and knowing who may work in which.

On PostgreSQL each migration is a transaction of its own that waits for no lock longer than three
seconds and holds what it has locked for no statement longer than five. What takes longer and keeps
nobody waiting, such as an index, a migration does before, in a function `before(database)`, which may
be broken off and come again.

A migration may say `floor`: the oldest revision whose code may go on working in the schema as it is
then. Without it everything older may, which is the rule: add first, remove in a later release.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
from alembic.autogenerate import compare_metadata
from alembic.command import revision as write_revision
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, MetaData, inspect, text

from storage import partitions
from storage.database import Database
from storage.patience import again, changing

log = structlog.get_logger(__name__)

OURS: Final = frozenset({"alembic_version", "schema_floor"})
"""Tables of this file, which are no data: no archive holds them."""

# One at a time brings the schema forward, whichever process it is.
_TURN: Final = 0x52_57_53_43
_ASK_AGAIN_S: Final = 0.2


class SchemaTooOldError(Exception):
    """The database has a schema from before the one that this code needs."""

    def __init__(self, at: str | None, needed: str) -> None:
        super().__init__(
            f"the database is at schema {at or 'none'}, this version needs {needed}: run `ringward migrate`"
        )
        self.at = at
        self.needed = needed


class SchemaTooNewError(Exception):
    """The database has a schema that this code may not work in any more."""

    def __init__(self, at: str, floor: str) -> None:
        super().__init__(
            f"the database is at schema {at}, in which nothing older than {floor} may work: "
            "start the newer version"
        )
        self.at = at
        self.floor = floor


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a database stands beside this code.

    `at` is its revision, None where it has none; `head` is this code's; `floor` is the oldest that
    the database lets work, None where it never said so.
    """

    at: str | None
    head: str
    floor: str | None
    known: bool

    @property
    def is_behind(self) -> bool:
        """Whether there is something to be run."""
        return self.known and self.at != self.head

    @property
    def is_beyond(self) -> bool:
        """Whether the schema is newer than this code, and does not let it work."""
        return not self.known and (self.floor is None or self.floor > self.head)


def standing(database: Database) -> Standing:
    """Where the database stands."""
    script = _script()
    with database.engine.connect() as connection:
        return _standing(connection, script)


def require(database: Database) -> Standing:
    """Raises `SchemaTooOldError` or `SchemaTooNewError` where this code may not work in the database."""
    found = standing(database)
    if found.is_behind:
        raise SchemaTooOldError(found.at, found.head)
    if found.is_beyond:
        raise SchemaTooNewError(found.at or "", found.floor or "its own")
    return found


def upgrade(database: Database, to: str = "head") -> None:
    """Runs what has not run yet; `to` is a revision, the newest by default.

    A schema that is newer than this code and lets it work stays as it is; one that does not
    raises `SchemaTooNewError`.
    """
    script = _script()
    with _turn(database):
        with database.engine.connect() as connection:
            found = _standing(connection, script)
            empty = found.at is None and not inspect(connection).get_table_names()
        if found.is_beyond:
            raise SchemaTooNewError(found.at or "", found.floor or "its own")
        if not found.known:
            return
        if database.is_sqlite or empty:
            # Nobody is there to be disturbed, or nobody can be: SQLite has one writer.
            with unhindered(database) as connection:
                _run(connection, script, to)
            return
        for step in _steps(script, found.at, to):
            again(partial(_step, database, script, step))


@contextmanager
def unhindered(database: Database) -> Iterator[Connection]:
    """A transaction in which rows may point to nothing, until it ends.

    Nobody else is at work then: on PostgreSQL it may stand still for as long as it has to.
    """
    engine = database.engine if database.is_sqlite else database.engine.execution_options(ringward_read=True)
    with engine.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        if database.is_sqlite:
            # Only outside a transaction. A migration rebuilds tables, and dropping the old one would
            # count as deleting its rows; a restore fills them in the order of the archive.
            driver.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                if database.is_sqlite and driver.execute("PRAGMA foreign_key_check").fetchone() is not None:
                    raise RuntimeError("there are rows that point to nothing")
        finally:
            if database.is_sqlite:
                driver.execute("PRAGMA foreign_keys=ON")


def knows(revision_id: str) -> bool:
    """Whether this version has a way from that revision to its own; not from a newer one's."""
    return _knows(_script(), revision_id)


def drift(database: Database, metadata: MetaData, *, types: bool = False) -> list[object]:
    """Differences between the database and what the code expects; empty when they agree.

    With `types` those of columns' types too, of which SQLite has almost none.
    """
    with database.engine.connect() as connection:
        opts = {
            "compare_type": types,
            "include_name": partial(_is_data, partitions.names(connection)),
            "include_object": partial(_is_said, partitions.is_divided(connection)),
        }
        return list(compare_metadata(MigrationContext.configure(connection, opts=opts), metadata))


def revision(database: Database, metadata: MetaData, message: str, revision_id: str) -> None:
    """Writes a migration for the present differences; read it before committing it."""
    with database.engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        config.attributes["metadata"] = metadata
        write_revision(config, message=message, autogenerate=True, rev_id=revision_id)


@contextmanager
def _turn(database: Database) -> Iterator[None]:
    """One process at a time brings the schema forward; the others come after it and find it done."""
    if database.is_sqlite:
        yield
        return
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT", ringward_read=True)
    with engine.connect() as connection:
        # Asked for again and again: an index that is being made waits for everybody who waits in a statement.
        while not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({_TURN})").scalar():
            time.sleep(_ASK_AGAIN_S)
        try:
            yield
        finally:
            connection.exec_driver_sql(f"SELECT pg_advisory_unlock({_TURN})")


def _step(database: Database, script: ScriptDirectory, step: Script) -> None:
    """One migration: what needs time and keeps nobody waiting, then its transaction."""
    before = getattr(step.module, "before", None)
    if before is not None:
        before(database)
    with changing(database) as connection:
        _run(connection, script, step.revision)
    log.info("schema.moved", to=step.revision)


def _run(connection: Connection, script: ScriptDirectory, to: str) -> None:
    """Runs the migrations up to a revision in the connection's transaction, and notes their floor."""
    config = _config()
    config.attributes["connection"] = connection

    def steps(at: Any, _context: object) -> Any:
        # What `alembic.command.upgrade` does, with a folder of scripts that is read once.
        return script._upgrade_revs(to, at)  # noqa: SLF001

    with EnvironmentContext(config, script, fn=steps, destination_rev=to):
        script.run_env()
    _note_floor(connection, script)


def _note_floor(connection: Connection, script: ScriptDirectory) -> None:
    at = MigrationContext.configure(connection).get_current_revision()
    ran = script.iterate_revisions(at, "base") if at else ()
    floor = max((str(getattr(one.module, "floor", "")) for one in ran), default="")
    connection.exec_driver_sql(
        "CREATE TABLE IF NOT EXISTS schema_floor (floor VARCHAR(32) NOT NULL PRIMARY KEY)"
    )
    connection.exec_driver_sql("DELETE FROM schema_floor")
    connection.execute(text("INSERT INTO schema_floor (floor) VALUES (:floor)"), {"floor": floor})


def _standing(connection: Connection, script: ScriptDirectory) -> Standing:
    at = MigrationContext.configure(connection).get_current_revision()
    floor: str | None = None
    if inspect(connection).has_table("schema_floor"):
        floor = connection.exec_driver_sql("SELECT floor FROM schema_floor").scalar()
    head = script.get_current_head()
    assert head is not None
    return Standing(at, head, floor, at is None or _knows(script, at))


def _steps(script: ScriptDirectory, at: str | None, to: str) -> list[Script]:
    """What has to run, oldest first."""
    return list(reversed(list(script.iterate_revisions(to, at or "base"))))


def _knows(script: ScriptDirectory, revision_id: str) -> bool:
    return any(one.revision == revision_id for one in script.walk_revisions())


def _is_data(pieces: set[str], name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or not (name in OURS or name in pieces)


def _is_said(divided: bool, _object: object, name: str | None, kind: str, *_rest: object) -> bool:
    # Where events lie in pieces, a trigger does what this key says (see `storage.partitions`).
    return not (divided and kind == "foreign_key_constraint" and name == partitions.REPLACED)


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config

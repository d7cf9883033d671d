"""Bringing a database to the present schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData

from storage.database import Database


def upgrade(database: Database, to: str = "head") -> None:
    """Runs what has not run yet, in one transaction; `to` is a revision, the newest by default."""
    config = _config()
    with unhindered(database) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)


@contextmanager
def unhindered(database: Database) -> Iterator[Connection]:
    """A transaction in which rows may point to nothing, until it ends."""
    with database.engine.connect() as connection:
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
    return any(
        script.revision == revision_id for script in ScriptDirectory.from_config(_config()).walk_revisions()
    )


def drift(database: Database, metadata: MetaData) -> list[object]:
    """Differences between the database and what the code expects; empty when they agree."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        return list(compare_metadata(context, metadata))


def revision(database: Database, metadata: MetaData, message: str, revision_id: str) -> None:
    """Writes a migration for the present differences; read it before committing it."""
    with database.engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        config.attributes["metadata"] = metadata
        command.revision(config, message=message, autogenerate=True, rev_id=revision_id)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config

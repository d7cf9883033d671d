"""Bringing a database to the present schema."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import MetaData

from storage.database import Database


def upgrade(database: Database) -> None:
    """Runs what has not run yet, in one transaction."""
    with database.engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


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

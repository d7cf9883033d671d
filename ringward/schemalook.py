"""Whether the database answers and has the schema that this version was made for, or a newer one."""

import time
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

import storage
from storage import Database

_EVERY_S: Final = 30.0
# By their files' names: Alembic itself is 10 MB that a running process has no other use for.
_VERSIONS: Final = Path(storage.__file__).parent / "migrations" / "versions"


class SchemaLook:
    """Remembers for half a minute that the schema was right; the database is asked each time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known = sorted(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*_*.py"))
        self._right_at = float("-inf")

    def amiss(self) -> str | None:
        """What is wrong, as a code, or None. Blocks as long as the database does."""
        try:
            if time.monotonic() - self._right_at < _EVERY_S:
                self._database.ping()
                return None
            with self._database.read() as session:
                revision = session.scalar(text("SELECT version_num FROM alembic_version"))
                floor = session.scalar(text("SELECT floor FROM schema_floor"))
        except SQLAlchemyError as error:
            missing = any(table in str(error) for table in ("alembic_version", "schema_floor"))
            return "schema_missing" if missing else "database_away"
        if revision is None:
            return "schema_missing"
        if revision in self._known[:-1]:
            return "schema_old"
        # One that this version does not know is newer, and says from which version on it may be used.
        if revision not in self._known and (floor is None or floor > self._known[-1]):
            return "schema_new"
        self._right_at = time.monotonic()
        return None

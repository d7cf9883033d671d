"""What somebody does who has the database's own rights: takes away what guards the audit log."""

from sqlalchemy import text

from storage import Database
from storage.audit import GUARDS


def unguard(database: Database) -> None:
    """Drops the triggers that keep the log append-only."""
    with database.write() as session:
        for name in GUARDS:
            session.execute(
                text(
                    f"DROP TRIGGER IF EXISTS {name}"
                    if database.is_sqlite
                    else f"DROP TRIGGER IF EXISTS {name} ON audit"
                )
            )

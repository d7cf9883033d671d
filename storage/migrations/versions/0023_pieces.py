"""events in pieces of a week, on PostgreSQL

Revision ID: 0023
Revises: 0022
"""

from alembic import op

from storage import partitions
from storage.database import Database

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def before(database: Database) -> None:
    """Proves of a large table that it can be the first piece as it is, while others write."""
    partitions.prepare(database)


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        partitions.divide(connection)


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

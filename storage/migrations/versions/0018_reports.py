"""what reports ask for over weeks

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

from storage.database import Database
from storage.patience import build_index, online

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

OF_SIGHT = "type IN ('device.offline', 'device.online', 'device.tamper', 'video.lost', 'video.occlusion')"


def before(database: Database) -> None:
    """Makes the indices while others write; `upgrade` then finds them."""
    with online(database) as connection:
        build_index(connection, "ix_events_sight", "events", "compound, corrected_time", OF_SIGHT)


def upgrade() -> None:
    op.create_index(
        "ix_events_sight",
        "events",
        ["compound", "corrected_time"],
        sqlite_where=sa.text(OF_SIGHT),
        postgresql_where=sa.text(OF_SIGHT),
        if_not_exists=True,
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

"""what reports ask for over weeks

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

OF_SIGHT = "type IN ('device.offline', 'device.online', 'device.tamper', 'video.lost', 'video.occlusion')"


def upgrade() -> None:
    op.create_index(
        "ix_events_sight",
        "events",
        ["compound", "corrected_time"],
        sqlite_where=sa.text(OF_SIGHT),
        postgresql_where=sa.text(OF_SIGHT),
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

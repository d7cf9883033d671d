"""where in a trace something was written

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TABLES = (
    "outbox",
    "incidents",
    "incident_changes",
    "notifications",
    "notification_attempts",
    "device_commands",
)


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("trace", sa.String(length=55), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

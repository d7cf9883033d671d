"""the photo of what came of a task

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dispatches", sa.Column("media_id", sa.String(length=64), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

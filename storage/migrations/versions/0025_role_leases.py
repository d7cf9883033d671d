"""leases of roles that one process does at a time

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "role_leases",
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("instance", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=96), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("until", storage.columns.UtcTime(), nullable=False),
        sa.Column("waiting", sa.String(length=96), nullable=True),
        sa.Column("waiting_until", storage.columns.UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("role", "instance", name=op.f("pk_role_leases")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

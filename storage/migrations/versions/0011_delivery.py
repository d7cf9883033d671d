"""delivery of notifications

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("notifications") as batch_op:
        # Who holds what is said for each try.
        batch_op.drop_column("holder")
        batch_op.drop_column("held_until")
        batch_op.add_column(sa.Column("moved_at", storage.columns.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("round", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("begun_at", storage.columns.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("held_by", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("bundle", sa.String(length=32), nullable=True))
        batch_op.create_index("ix_notifications_begun", ["begun_at"], unique=False)
        batch_op.create_index("ix_notifications_bundle", ["bundle"], unique=False)

    with op.batch_alter_table("notification_attempts") as batch_op:
        batch_op.add_column(sa.Column("step", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("round", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("holder", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("held_until", storage.columns.UtcTime(), nullable=True))
        batch_op.create_index(
            "uq_notification_attempts_sending",
            ["contact"],
            unique=True,
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

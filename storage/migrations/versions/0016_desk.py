"""whose hands are on an incident, and what is put aside

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "desk_hands",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("doing", sa.String(length=16), nullable=False),
        sa.Column("seen_at", storage.columns.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident"], ["incidents.id"], name=op.f("fk_desk_hands_incident_incidents"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_desk_hands_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_hands")),
    )
    with op.batch_alter_table("desk_hands") as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_hands_compound"), ["compound"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_hands_incident"), ["incident"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_hands_seen_at"), ["seen_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_hands_user_id"), ["user_id"], unique=False)

    op.create_table(
        "incident_asides",
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.Column("until", storage.columns.UtcTime(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("signal_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
            name=op.f("fk_incident_asides_incident_incidents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("incident", name=op.f("pk_incident_asides")),
    )
    with op.batch_alter_table("incident_asides") as batch_op:
        batch_op.create_index(batch_op.f("ix_incident_asides_compound"), ["compound"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

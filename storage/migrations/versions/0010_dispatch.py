"""dispatch and escalation

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "incident_calls",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=8), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.Column("note", storage.columns.EncryptedText(), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
            name=op.f("fk_incident_calls_incident_incidents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_calls")),
    )
    with op.batch_alter_table("incident_calls") as batch_op:
        batch_op.create_index(batch_op.f("ix_incident_calls_incident"), ["incident"], unique=False)

    op.create_table(
        "task_pictures",
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("media_id", sa.String(length=64), nullable=False),
        sa.Column("flagged_by", sa.String(length=64), nullable=False),
        sa.Column("flagged_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("reason", storage.columns.EncryptedText(), nullable=False),
        sa.Column("expires_at", storage.columns.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
            name=op.f("fk_task_pictures_incident_incidents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("incident", name=op.f("pk_task_pictures")),
    )
    op.create_table(
        "responder_positions",
        sa.Column("responder", sa.String(length=64), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("consented_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("x", sa.Float(), nullable=True),
        sa.Column("y", sa.Float(), nullable=True),
        sa.Column("accuracy", sa.Float(), nullable=True),
        sa.Column("at", storage.columns.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["responder"],
            ["responders.id"],
            name=op.f("fk_responder_positions_responder_responders"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("responder", name=op.f("pk_responder_positions")),
    )
    with op.batch_alter_table("dispatches") as batch_op:
        batch_op.add_column(sa.Column("offers", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("duty_until", storage.columns.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("due_at", storage.columns.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("overdue", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("set_out_at", storage.columns.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("arrived_by", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("declined_for", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("result", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("help_at", storage.columns.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("alone_due_at", storage.columns.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("alone_asked_at", storage.columns.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("alone_asked", sa.Integer(), server_default="0", nullable=False))
        batch_op.create_index("ix_dispatches_alone_due", ["alone_due_at"], unique=False)
        batch_op.create_index("ix_dispatches_due", ["due_at"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

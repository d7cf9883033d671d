"""silences, groups, and who was told of what

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "route_groups",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("route", sa.String(length=64), nullable=False),
        sa.Column("receiver", sa.String(length=64), nullable=False),
        sa.Column("labels", storage.columns.JsonText(), nullable=False),
        sa.Column("opened_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("told_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("gravest", sa.Integer(), nullable=True),
        sa.Column("due_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("repeat_s", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route_groups")),
        sa.UniqueConstraint("compound", "key", name=op.f("uq_route_groups_compound")),
    )
    with op.batch_alter_table("route_groups", schema=None) as batch_op:
        batch_op.create_index("ix_route_groups_due", ["due_at"], unique=False)

    op.create_table(
        "silences",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("matchers", storage.columns.JsonText(), nullable=False),
        sa.Column("gravest", sa.Integer(), nullable=False),
        sa.Column("starts_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("ends_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("made_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("comment", storage.columns.EncryptedText(), nullable=False),
        sa.Column("lifted_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("lifted_by", sa.String(length=64), nullable=True),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_silences_ends")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silences")),
    )
    with op.batch_alter_table("silences", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_silences_compound"), ["compound"], unique=False)

    op.create_table(
        "incident_tellings",
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("receiver", sa.String(length=64), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("route", sa.String(length=64), nullable=False),
        sa.Column("group", sa.String(length=32), nullable=True),
        sa.Column("waiting", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=True),
        sa.Column("told_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("times", sa.Integer(), server_default="0", nullable=False),
        sa.Column("life", sa.Integer(), server_default="0", nullable=False),
        sa.Column("face", sa.String(length=32), nullable=True),
        sa.Column("quiet_why", sa.String(length=16), nullable=True),
        sa.Column("quiet_by", sa.String(length=64), nullable=True),
        sa.Column("again_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("repeat_s", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["group"],
            ["route_groups.id"],
            name=op.f("fk_incident_tellings_group_route_groups"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
            name=op.f("fk_incident_tellings_incident_incidents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("incident", "receiver", name=op.f("pk_incident_tellings")),
    )
    with op.batch_alter_table("incident_tellings", schema=None) as batch_op:
        batch_op.create_index("ix_incident_tellings_again", ["again_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_incident_tellings_face"), ["face"], unique=False)
        batch_op.create_index(batch_op.f("ix_incident_tellings_group"), ["group"], unique=False)
        batch_op.create_index(batch_op.f("ix_incident_tellings_quiet_by"), ["quiet_by"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

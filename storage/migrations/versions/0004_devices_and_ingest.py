"""devices and ingest

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _events()
    _devices()
    _registration()
    _commands()
    _lists()
    _letters()


def _events() -> None:
    with op.batch_alter_table("events") as batch:
        batch.add_column(sa.Column("revision", sa.BigInteger(), nullable=True))
    op.create_table(
        "event_amendments",
        sa.Column("event_id", sa.String(32), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("compound", sa.String(64), nullable=False),
        sa.Column("received_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("marks", storage.columns.JsonText(), nullable=False),
        sa.Column("body", storage.columns.JsonText(), nullable=False),
        sa.Column("content_hash", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["events.id"],
            name=op.f("fk_event_amendments_event_id_events"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("event_id", "revision", name=op.f("pk_event_amendments")),
    )
    op.create_index("ix_event_amendments_compound", "event_amendments", ["compound", "received_at"])


def _devices() -> None:
    with op.batch_alter_table("devices") as batch:
        batch.add_column(sa.Column("adapter", sa.String(32), nullable=False, server_default="native"))
        batch.add_column(sa.Column("external_id", sa.String(128), nullable=True))
        batch.add_column(sa.Column("gateway", sa.String(64), nullable=True))
        batch.add_column(sa.Column("stage", sa.String(16), nullable=False, server_default="approved"))
        batch.create_foreign_key(op.f("fk_devices_gateway_devices"), "devices", ["gateway"], ["id"])
    alone = sa.text("gateway IS NULL")
    op.create_index(
        "uq_devices_external",
        "devices",
        ["adapter", "external_id"],
        unique=True,
        sqlite_where=alone,
        postgresql_where=alone,
    )
    op.create_index("uq_devices_behind", "devices", ["gateway", "external_id"], unique=True)
    op.create_table(
        "device_candidates",
        sa.Column("adapter", sa.String(32), nullable=False),
        sa.Column("gateway", sa.String(64), nullable=False),
        sa.Column("external_id", sa.String(128), nullable=False),
        sa.Column("first_seen", storage.columns.UtcTime(), nullable=False),
        sa.Column("last_seen", storage.columns.UtcTime(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("facts", storage.columns.JsonText(), nullable=False),
        sa.PrimaryKeyConstraint("adapter", "gateway", "external_id", name=op.f("pk_device_candidates")),
    )
    op.create_table(
        "device_points",
        sa.Column("device_id", sa.String(64), nullable=False),
        sa.Column("point", sa.String(64), nullable=False),
        sa.Column("value", sa.String(64), nullable=False),
        sa.Column("since", storage.columns.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["devices.id"],
            name=op.f("fk_device_points_device_id_devices"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("device_id", "point", name=op.f("pk_device_points")),
    )


def _registration() -> None:
    pass


def _commands() -> None:
    pass


def _lists() -> None:
    pass


def _letters() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

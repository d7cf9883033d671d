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
    _streams()


def _events() -> None:
    with op.batch_alter_table("events") as batch:
        batch.add_column(sa.Column("revision", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("decisions") as batch:
        batch.add_column(sa.Column("revision", sa.BigInteger(), nullable=True))
    op.create_table(
        "event_amendments",
        sa.Column("event_id", sa.String(32), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("compound", sa.String(64), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
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
    moment, who = storage.columns.UtcTime, sa.String(64)
    with op.batch_alter_table("devices") as batch:
        batch.add_column(sa.Column("stage_reason", sa.String(32), nullable=True))
        batch.add_column(sa.Column("tested_at", moment(), nullable=True))
        batch.add_column(sa.Column("tested_by", who, nullable=True))
        batch.add_column(sa.Column("approved_at", moment(), nullable=True))
        batch.add_column(sa.Column("approved_by", who, nullable=True))
        batch.add_column(sa.Column("retired_at", moment(), nullable=True))
        batch.add_column(sa.Column("vendor", sa.String(64), nullable=True))
        batch.add_column(sa.Column("model", sa.String(64), nullable=True))
        batch.add_column(sa.Column("profile", sa.String(64), nullable=True))
        batch.add_column(sa.Column("gb28181_code", sa.String(20), nullable=True))
        batch.add_column(sa.Column("shared_topics", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("sign_photo", sa.String(64), nullable=True))
        batch.add_column(sa.Column("sign_checked_at", moment(), nullable=True))
        batch.add_column(sa.Column("sign_checked_by", who, nullable=True))
        batch.add_column(sa.Column("privacy_checked_at", moment(), nullable=True))
        batch.add_column(sa.Column("privacy_checked_by", who, nullable=True))
        batch.add_column(sa.Column("secret_pbkdf2", sa.String(160), nullable=True))
        batch.add_column(sa.Column("secret_number", sa.Integer(), nullable=False, server_default="1"))
        batch.add_column(sa.Column("previous_secret_hash", sa.String(80), nullable=True))
        batch.add_column(sa.Column("previous_secret_pbkdf2", sa.String(160), nullable=True))
        batch.add_column(sa.Column("previous_secret_until", moment(), nullable=True))
    op.create_index("uq_devices_gb28181_code", "devices", ["gb28181_code"], unique=True)
    op.create_table(
        "device_observations",
        sa.Column("device_id", sa.String(64), nullable=False),
        sa.Column("first_heard_at", moment(), nullable=True),
        sa.Column("last_heard_at", moment(), nullable=True),
        sa.Column("heartbeat_at", moment(), nullable=True),
        sa.Column("heartbeat_s", sa.Float(), nullable=True),
        sa.Column("types", storage.columns.JsonText(), nullable=False),
        sa.Column("picture_at", moment(), nullable=True),
        sa.Column("clock_offset_ms", sa.BigInteger(), nullable=True),
        sa.Column("signed_in_at", moment(), nullable=True),
        sa.Column("walk_asked", sa.String(8), nullable=True),
        sa.Column("walk_asked_at", moment(), nullable=True),
        sa.Column("walk_asked_by", sa.String(64), nullable=True),
        sa.Column("walk_heard_at", moment(), nullable=True),
        sa.Column("walk_heard_type", sa.String(64), nullable=True),
        sa.Column("walk_said", sa.String(8), nullable=True),
        sa.Column("facts", storage.columns.JsonText(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["devices.id"],
            name=op.f("fk_device_observations_device_id_devices"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_device_observations")),
    )


def _commands() -> None:
    op.create_table(
        "device_commands",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("compound", sa.String(64), nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("arguments", storage.columns.JsonText(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("asked_by", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("asked_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("expires_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("sent_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("answer_by", storage.columns.UtcTime(), nullable=True),
        sa.Column("settled_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("code", sa.String(64), nullable=True),
        sa.Column("text", sa.String(500), nullable=True),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_device_commands_compound_compounds")
        ),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name=op.f("fk_device_commands_device_devices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_commands")),
        sa.UniqueConstraint("compound", "key", name=op.f("uq_device_commands_compound")),
    )
    op.create_index("ix_device_commands_state", "device_commands", ["state", "expires_at"])
    op.create_index("ix_device_commands_asked", "device_commands", ["compound", "asked_at"])
    op.create_index("ix_device_commands_device", "device_commands", ["device", "asked_at"])


def _lists() -> None:
    moment = storage.columns.UtcTime
    with op.batch_alter_table("terminal_enrolments") as batch:
        batch.alter_column("person", existing_type=sa.String(64), nullable=True)
        batch.add_column(sa.Column("visitor_pass", sa.String(64), nullable=True))
        batch.add_column(sa.Column("card", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("content_mark", sa.String(64), nullable=True))
        batch.add_column(sa.Column("sent", sa.String(64), nullable=True))
        batch.add_column(sa.Column("push", sa.String(32), nullable=True))
        batch.add_column(sa.Column("confirmed_at", moment(), nullable=True))
        batch.add_column(sa.Column("lay_face", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("lay_card", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("next_try_at", moment(), nullable=True))
        batch.add_column(sa.Column("picture", sa.String(64), nullable=True))
        batch.add_column(sa.Column("refused_picture", sa.String(64), nullable=True))
        batch.add_column(sa.Column("code", sa.String(64), nullable=True))
        batch.add_column(sa.Column("text", sa.String(200), nullable=True))
        batch.create_unique_constraint("uq_terminal_enrolments_visitor", ["device", "visitor_pass"])
        batch.create_index("ix_terminal_enrolments_push", ["push"])
    # What lies there from before is not taken back by a batch that is turned away.
    op.execute(sa.text("UPDATE terminal_enrolments SET lay_face = face, confirmed_at = pushed_at"))
    with op.batch_alter_table("delete_orders") as batch:
        batch.add_column(sa.Column("push", sa.String(32), nullable=True))
        batch.add_column(sa.Column("was_there", sa.Boolean(), nullable=True))
        batch.add_column(sa.Column("unanswered", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.create_index("ix_delete_orders_push", ["push"])
    with op.batch_alter_table("visitor_passes") as batch:
        batch.add_column(sa.Column("card", sa.LargeBinary(), nullable=True))
        batch.add_column(sa.Column("card_key", sa.String(64), nullable=True))
        batch.create_index("ix_visitor_passes_card", ["compound", "card_key"])
    op.create_table(
        "terminal_lists",
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("compound", sa.String(64), nullable=False),
        sa.Column("carries", sa.String(16), nullable=False),
        sa.Column("approval_seen", moment(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("paused_at", moment(), nullable=True),
        sa.Column("next_at", moment(), nullable=True),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("wanted_faces", sa.Integer(), nullable=False),
        sa.Column("counted_at", moment(), nullable=True),
        sa.Column("lack", sa.String(32), nullable=True),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_terminal_lists_compound_compounds")
        ),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name=op.f("fk_terminal_lists_device_devices")),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_terminal_lists")),
    )
    op.create_index("ix_terminal_lists_compound", "terminal_lists", ["compound"])
    op.create_table(
        "terminal_pushes",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("compound", sa.String(64), nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("sent_at", moment(), nullable=False),
        sa.Column("answer_by", moment(), nullable=False),
        sa.Column("settled_at", moment(), nullable=True),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(64), nullable=True),
        sa.Column("text", sa.String(500), nullable=True),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_terminal_pushes_compound_compounds")
        ),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name=op.f("fk_terminal_pushes_device_devices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terminal_pushes")),
    )
    in_flight = sa.text("state = 'sent'")
    op.create_index(
        "uq_terminal_pushes_in_flight",
        "terminal_pushes",
        ["device"],
        unique=True,
        sqlite_where=in_flight,
        postgresql_where=in_flight,
    )
    op.create_index("ix_terminal_pushes_device", "terminal_pushes", ["device", "sent_at"])
    op.create_index("ix_terminal_pushes_sent", "terminal_pushes", ["compound", "sent_at"])


def _letters() -> None:
    moment = storage.columns.UtcTime
    with op.batch_alter_table("dead_letters") as batch:
        batch.add_column(sa.Column("adapter", sa.String(32), nullable=True))
        batch.add_column(sa.Column("last_seen", moment(), nullable=True))
        batch.add_column(sa.Column("known_by", sa.String(64), nullable=True))
        batch.add_column(sa.Column("replay_asked_at", moment(), nullable=True))
        batch.add_column(sa.Column("replay_asked_by", sa.String(64), nullable=True))
        batch.add_column(sa.Column("outcome", sa.String(64), nullable=True))
        batch.add_column(sa.Column("became", storage.columns.JsonText(), nullable=True))
    op.create_index("uq_dead_letters_known_by", "dead_letters", ["known_by"], unique=True)
    op.create_index("ix_dead_letters_device", "dead_letters", ["device_id", "received_at"])
    asked = sa.text("replay_asked_at IS NOT NULL")
    op.create_index(
        "ix_dead_letters_asked",
        "dead_letters",
        ["replay_asked_at"],
        sqlite_where=asked,
        postgresql_where=asked,
    )
    with op.batch_alter_table("device_status") as batch:
        batch.add_column(sa.Column("cause", sa.String(16), nullable=True))
        batch.add_column(sa.Column("clock_off", sa.Boolean(), nullable=False, server_default=sa.false()))


def _streams() -> None:
    moment = storage.columns.UtcTime
    op.create_table(
        "device_streams",
        sa.Column("device_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("url", sa.String(200), nullable=False),
        sa.Column("username", sa.LargeBinary(), nullable=False),
        sa.Column("password", sa.LargeBinary(), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("changed_at", moment(), nullable=False),
        sa.Column("connected_since", moment(), nullable=True),
        sa.Column("last_part_at", moment(), nullable=True),
        sa.Column("error", sa.String(32), nullable=True),
        sa.Column("error_at", moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["devices.id"],
            name=op.f("fk_device_streams_device_id_devices"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_device_streams")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

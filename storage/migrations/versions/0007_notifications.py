"""notifications, reactions and rounds

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "incident_changes",
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("incident", "version", name=op.f("pk_incident_changes")),
    )
    with op.batch_alter_table("incident_changes") as batch_op:
        batch_op.create_index("ix_incident_changes_at", ["at", "incident", "version"], unique=False)

    op.create_table(
        "round_turns",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_round_turns")),
    )
    op.create_table(
        "contacts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("responder", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("address", storage.columns.EncryptedText(), nullable=False),
        sa.Column("secret", storage.columns.EncryptedText(), nullable=True),
        sa.Column("settings", storage.columns.JsonText(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("worked_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("failed_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.String(length=32), nullable=True),
        sa.Column("dead_since", storage.columns.UtcTime(), nullable=True),
        sa.Column("paused_until", storage.columns.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["compound"], ["compounds.id"], name=op.f("fk_contacts_compound_compounds")),
        sa.ForeignKeyConstraint(
            ["responder"],
            ["responders.id"],
            name=op.f("fk_contacts_responder_responders"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
    )
    with op.batch_alter_table("contacts") as batch_op:
        batch_op.create_index(batch_op.f("ix_contacts_compound"), ["compound"], unique=False)
        batch_op.create_index(batch_op.f("ix_contacts_responder"), ["responder"], unique=False)

    op.create_table(
        "notifications",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("responder", sa.String(length=64), nullable=True),
        sa.Column("channel", sa.String(length=32), nullable=True),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("important", sa.Boolean(), nullable=False),
        sa.Column("drill", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=True),
        sa.Column("dispatch", sa.String(length=32), nullable=True),
        sa.Column("arguments", storage.columns.JsonText(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("due_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("step", sa.Integer(), server_default="0", nullable=False),
        sa.Column("expires_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("ended_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("holder", sa.String(length=64), nullable=True),
        sa.Column("held_until", storage.columns.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["responder"],
            ["responders.id"],
            name=op.f("fk_notifications_responder_responders"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint("compound", "key", name=op.f("uq_notifications_compound")),
    )
    with op.batch_alter_table("notifications") as batch_op:
        batch_op.create_index("ix_notifications_due", ["due_at"], unique=False)
        batch_op.create_index("ix_notifications_incident", ["incident"], unique=False)
        batch_op.create_index("ix_notifications_responder", ["responder", "asked_at"], unique=False)

    op.create_table(
        "contact_steps",
        sa.Column("responder", sa.String(length=64), nullable=False),
        sa.Column("important", sa.Boolean(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("contact", sa.String(length=32), nullable=False),
        sa.Column("after_s", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact"], ["contacts.id"], name=op.f("fk_contact_steps_contact_contacts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["responder"],
            ["responders.id"],
            name=op.f("fk_contact_steps_responder_responders"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("responder", "important", "number", name=op.f("pk_contact_steps")),
    )
    with op.batch_alter_table("contact_steps") as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_steps_contact"), ["contact"], unique=False)

    op.create_table(
        "notification_attempts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("notification", sa.String(length=32), nullable=False),
        sa.Column("contact", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.Column("settled_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("received_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("error", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["notification"],
            ["notifications.id"],
            name=op.f("fk_notification_attempts_notification_notifications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_attempts")),
        sa.UniqueConstraint(
            "notification", "contact", "number", name=op.f("uq_notification_attempts_notification")
        ),
    )
    with op.batch_alter_table("notification_attempts") as batch_op:
        batch_op.create_index("ix_notification_attempts_at", ["at"], unique=False)

    with op.batch_alter_table("incidents") as batch_op:
        batch_op.add_column(sa.Column("drill", sa.Boolean(), server_default=sa.false(), nullable=False))

    with op.batch_alter_table("responders") as batch_op:
        batch_op.add_column(sa.Column("leads", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(
            sa.Column("skills", storage.columns.JsonText(), server_default="[]", nullable=False)
        )
        batch_op.add_column(sa.Column("capacity", sa.Integer(), server_default="1", nullable=False))
        batch_op.add_column(sa.Column("hours_most", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("quiet_from", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("quiet_to", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("language", sa.String(length=16), nullable=True))

    with op.batch_alter_table("shifts") as batch_op:
        batch_op.add_column(sa.Column("on_call", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("post", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("roster", sa.String(length=64), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

"""reviews and hand-overs

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "handovers",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("since", storage.columns.UtcTime(), nullable=False),
        sa.Column("until", storage.columns.UtcTime(), nullable=False),
        sa.Column("made_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column("facts", storage.columns.JsonText(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.String(length=64), nullable=True),
        sa.Column("sealed_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("missed_at", storage.columns.UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handovers")),
        sa.UniqueConstraint("compound", "until", name=op.f("uq_handovers_compound")),
    )
    with op.batch_alter_table("handovers", schema=None) as batch_op:
        batch_op.create_index("ix_handovers_made_at", ["made_at"], unique=False)

    op.create_table(
        "needs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("what", storage.columns.EncryptedText(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=True),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.Column("ended_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_needs")),
    )
    with op.batch_alter_table("needs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_needs_compound"), ["compound"], unique=False)

    op.create_table(
        "handover_entries",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("handover", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("side", sa.String(length=16), nullable=True),
        sa.Column("author", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("text", storage.columns.EncryptedText(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["handover"],
            ["handovers.id"],
            name=op.f("fk_handover_entries_handover_handovers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover_entries")),
    )
    with op.batch_alter_table("handover_entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_handover_entries_handover"), ["handover"], unique=False)

    op.create_table(
        "handover_signatures",
        sa.Column("handover", sa.String(length=32), nullable=False),
        sa.Column("side", sa.String(length=16), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("user", sa.String(length=32), nullable=False),
        sa.Column("responder", sa.String(length=64), nullable=True),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["handover"],
            ["handovers.id"],
            name=op.f("fk_handover_signatures_handover_handovers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("handover", "side", name=op.f("pk_handover_signatures")),
        sa.UniqueConstraint("handover", "user", name=op.f("uq_handover_signatures_handover")),
    )
    op.create_table(
        "incident_ratings",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("resolved_version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("responder", sa.String(length=64), nullable=True),
        sa.Column("person", sa.String(length=64), nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("invited_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("expires_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("words", storage.columns.EncryptedText(), nullable=True),
        sa.Column("rated_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("reopened", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
            name=op.f("fk_incident_ratings_incident_incidents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_ratings")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_incident_ratings_token_hash")),
    )
    with op.batch_alter_table("incident_ratings", schema=None) as batch_op:
        batch_op.create_index("ix_incident_ratings_incident", ["incident", "resolved_version"], unique=False)
        batch_op.create_index(batch_op.f("ix_incident_ratings_person"), ["person"], unique=False)
        batch_op.create_index(batch_op.f("ix_incident_ratings_responder"), ["responder"], unique=False)

    op.create_table(
        "incident_reviews",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("resolved_version", sa.Integer(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=24), nullable=False),
        sa.Column("alert", sa.String(length=16), nullable=False),
        sa.Column("lesson", storage.columns.EncryptedText(), nullable=False),
        sa.Column("measure", sa.Boolean(), nullable=False),
        sa.Column("reopened", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("reviewer", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
            name=op.f("fk_incident_reviews_incident_incidents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_reviews")),
        sa.UniqueConstraint("incident", "resolved_version", name=op.f("uq_incident_reviews_incident")),
    )
    with op.batch_alter_table("incident_reviews", schema=None) as batch_op:
        batch_op.create_index("ix_incident_reviews_at", ["compound", "at"], unique=False)

    op.create_table(
        "measures",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("need", sa.String(length=32), nullable=False),
        sa.Column("what", storage.columns.EncryptedText(), nullable=False),
        sa.Column("responder", sa.String(length=64), nullable=True),
        sa.Column("team", sa.String(length=64), nullable=True),
        sa.Column("due_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("blocking", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("note", storage.columns.EncryptedText(), nullable=True),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.Column("ended_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=True),
        sa.Column("reminded", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["need"], ["needs.id"], name=op.f("fk_measures_need_needs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measures")),
    )
    with op.batch_alter_table("measures", schema=None) as batch_op:
        batch_op.create_index("ix_measures_due", ["state", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_measures_need"), ["need"], unique=False)

    op.create_table(
        "need_incidents",
        sa.Column("need", sa.String(length=32), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
            name=op.f("fk_need_incidents_incident_incidents"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["need"], ["needs.id"], name=op.f("fk_need_incidents_need_needs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("need", "incident", name=op.f("pk_need_incidents")),
    )
    with op.batch_alter_table("need_incidents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_need_incidents_incident"), ["incident"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

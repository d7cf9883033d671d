"""rules and incidents

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert_leases",
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("until", storage.columns.UtcTime(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("stream", sa.String(length=64), nullable=True),
        sa.Column("advanced_to", storage.columns.UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("compound", name=op.f("pk_alert_leases")),
    )
    op.create_table(
        "alert_evaluators",
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("until", storage.columns.UtcTime(), nullable=False),
        sa.Column("only", storage.columns.JsonText(), nullable=True),
        sa.PrimaryKeyConstraint("holder", name=op.f("pk_alert_evaluators")),
    )
    op.create_table(
        "operating_modes",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("approved_by", sa.String(length=64), nullable=True),
        sa.Column("approved_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("starts_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("ends_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("ended_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=True),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_operating_modes_ends")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operating_modes")),
    )
    with op.batch_alter_table("operating_modes") as batch_op:
        batch_op.create_index("ix_operating_modes_time", ["compound", "ends_at"], unique=False)

    op.create_table(
        "rule_proposals",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=16), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("advice", sa.String(length=16), nullable=False),
        sa.Column("parameter", sa.String(length=32), nullable=True),
        sa.Column("present", sa.Float(), nullable=True),
        sa.Column("proposed", sa.Float(), nullable=True),
        sa.Column("alarms", sa.Integer(), nullable=False),
        sa.Column("false_alarms", sa.Integer(), nullable=False),
        sa.Column("reasons", storage.columns.JsonText(), nullable=False),
        sa.Column("made_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="open", nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", storage.columns.UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_proposals")),
    )
    with op.batch_alter_table("rule_proposals") as batch_op:
        batch_op.create_index(batch_op.f("ix_rule_proposals_compound"), ["compound"], unique=False)

    op.create_table(
        "rule_files",
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("looked_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("refused_since", storage.columns.UtcTime(), nullable=True),
        sa.Column("findings", storage.columns.JsonText(), nullable=False),
        sa.PrimaryKeyConstraint("compound", name=op.f("pk_rule_files")),
    )
    op.create_table(
        "rule_versions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_versions")),
        sa.UniqueConstraint("compound", "number", name=op.f("uq_rule_versions_compound")),
    )
    op.create_table(
        "incident_answers",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("answer", sa.String(length=16), nullable=False),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
            name=op.f("fk_incident_answers_incident_incidents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_answers")),
        sa.UniqueConstraint("incident", "actor", name=op.f("uq_incident_answers_incident")),
    )
    with op.batch_alter_table("incident_answers") as batch_op:
        batch_op.create_index(batch_op.f("ix_incident_answers_incident"), ["incident"], unique=False)

    op.create_table(
        "incident_keys",
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("last_at", storage.columns.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
            name=op.f("fk_incident_keys_incident_incidents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("compound", "key", name=op.f("pk_incident_keys")),
    )
    with op.batch_alter_table("incident_keys") as batch_op:
        batch_op.create_index(batch_op.f("ix_incident_keys_incident"), ["incident"], unique=False)

    op.create_table(
        "incident_merges",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=16), nullable=True),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("before", storage.columns.JsonText(), nullable=False),
        sa.Column("undone_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("undone_by", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["source"], ["incidents.id"], name=op.f("fk_incident_merges_source_incidents"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["target"], ["incidents.id"], name=op.f("fk_incident_merges_target_incidents"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_merges")),
    )
    with op.batch_alter_table("incident_merges") as batch_op:
        batch_op.create_index(batch_op.f("ix_incident_merges_source"), ["source"], unique=False)
        batch_op.create_index(batch_op.f("ix_incident_merges_target"), ["target"], unique=False)

    op.create_table(
        "merge_proposals",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("first", sa.String(length=32), nullable=False),
        sa.Column("second", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="open", nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", storage.columns.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["first"], ["incidents.id"], name=op.f("fk_merge_proposals_first_incidents"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["second"], ["incidents.id"], name=op.f("fk_merge_proposals_second_incidents"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merge_proposals")),
        sa.UniqueConstraint("first", "second", name=op.f("uq_merge_proposals_first")),
    )
    with op.batch_alter_table("merge_proposals") as batch_op:
        batch_op.create_index(batch_op.f("ix_merge_proposals_compound"), ["compound"], unique=False)
        batch_op.create_index(batch_op.f("ix_merge_proposals_first"), ["first"], unique=False)
        batch_op.create_index(batch_op.f("ix_merge_proposals_second"), ["second"], unique=False)

    op.create_table(
        "plan_steps",
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("plan", sa.String(length=64), nullable=False),
        sa.Column("step", sa.String(length=64), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("answer", sa.String(length=64), nullable=True),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident"], ["incidents.id"], name=op.f("fk_plan_steps_incident_incidents"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("incident", "plan", "step", name=op.f("pk_plan_steps")),
    )
    op.create_table(
        "care_absences",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("starts_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("ends_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("declared_by", sa.String(length=64), nullable=False),
        sa.Column("declared_at", storage.columns.UtcTime(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_care_absences_ends")),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_care_absences_person_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_absences")),
    )
    with op.batch_alter_table("care_absences") as batch_op:
        batch_op.create_index(batch_op.f("ix_care_absences_person"), ["person"], unique=False)

    with op.batch_alter_table("incident_evidence") as batch_op:
        batch_op.add_column(sa.Column("key", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("stage", sa.String(length=32), server_default="", nullable=False))
        batch_op.add_column(
            sa.Column("trace", storage.columns.JsonText(), server_default="{}", nullable=False)
        )
        batch_op.add_column(sa.Column("moved_from", sa.String(length=32), nullable=True))

    with op.batch_alter_table("incidents") as batch_op:
        batch_op.add_column(sa.Column("key", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("rules_version", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("mode", sa.String(length=16), server_default="normal", nullable=False))
        batch_op.add_column(sa.Column("held", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("held_reason", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("probable", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(
            sa.Column("blind", storage.columns.JsonText(), server_default="[]", nullable=False)
        )
        batch_op.add_column(sa.Column("due_at", storage.columns.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("escalation", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("merged_into", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("care", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.create_index("ix_incidents_due", ["due_at"], unique=False)
        batch_op.create_index("ix_incidents_merged_into", ["merged_into"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_incidents_merged_into_incidents"), "incidents", ["merged_into"], ["id"]
        )

    with op.batch_alter_table("rule_mutes") as batch_op:
        batch_op.add_column(sa.Column("subject_kind", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("lifted_at", storage.columns.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("lifted_by", sa.String(length=64), nullable=True))

    with op.batch_alter_table("vehicles") as batch_op:
        batch_op.add_column(sa.Column("guarded", sa.Boolean(), server_default=sa.false(), nullable=False))

    op.execute(
        "INSERT INTO incident_keys (compound, key, incident, last_at) "
        "SELECT compound, substr(active_key, length(compound) + 2), id, last_signal_at "
        "FROM incidents WHERE active_key IS NOT NULL"
    )
    op.execute(
        "UPDATE incidents SET key = substr(active_key, length(compound) + 2) WHERE active_key IS NOT NULL"
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

"""reports from people, disputes, work orders and drills

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "work_orders",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("open_key", sa.String(length=160), nullable=True),
        sa.Column("device", sa.String(length=64), nullable=True),
        sa.Column("contact", sa.String(length=32), nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=True),
        sa.Column("building", sa.String(length=64), nullable=True),
        sa.Column("fault", sa.String(length=64), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("team", sa.String(length=64), nullable=True),
        sa.Column("responder", sa.String(length=64), nullable=True),
        sa.Column("note", storage.columns.EncryptedText(), nullable=True),
        sa.Column("opened_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("assigned_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("started_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("done_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("verified_at", storage.columns.UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_orders")),
        sa.UniqueConstraint("compound", "open_key", name=op.f("uq_work_orders_compound")),
    )
    with op.batch_alter_table("work_orders") as batch_op:
        batch_op.create_index(batch_op.f("ix_work_orders_incident"), ["incident"], unique=False)
        batch_op.create_index("ix_work_orders_state", ["compound", "state", "opened_at"], unique=False)

    op.create_table(
        "disputes",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("mediator", sa.String(length=64), nullable=True),
        sa.Column("parties", storage.columns.EncryptedText(), nullable=True),
        sa.Column("agreement", storage.columns.EncryptedText(), nullable=True),
        sa.Column("opened_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("accepted_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("meeting_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("ended_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("follow_up_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident"], ["incidents.id"], name=op.f("fk_disputes_incident_incidents"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disputes")),
        sa.UniqueConstraint("incident", name=op.f("uq_disputes_incident")),
    )
    with op.batch_alter_table("disputes") as batch_op:
        batch_op.create_index("ix_disputes_state", ["compound", "state"], unique=False)

    op.create_table(
        "intake_reports",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("reporter", sa.String(length=32), nullable=True),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("responder", sa.String(length=64), nullable=True),
        sa.Column("person", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("danger", sa.String(length=16), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("building", sa.String(length=64), nullable=True),
        sa.Column("device", sa.String(length=64), nullable=True),
        sa.Column("words", storage.columns.EncryptedText(), nullable=True),
        sa.Column("media_id", sa.String(length=64), nullable=True),
        sa.Column("happened_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
            name=op.f("fk_intake_reports_incident_incidents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake_reports")),
    )
    with op.batch_alter_table("intake_reports") as batch_op:
        batch_op.create_index(batch_op.f("ix_intake_reports_incident"), ["incident"], unique=False)
        batch_op.create_index(batch_op.f("ix_intake_reports_person"), ["person"], unique=False)
        batch_op.create_index("ix_intake_reports_reporter", ["reporter", "at"], unique=False)

    op.create_table(
        "drills",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("running", sa.String(length=64), nullable=True),
        sa.Column("scenario", sa.String(length=32), nullable=False),
        sa.Column("started_by", sa.String(length=64), nullable=False),
        sa.Column("started_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("ends_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("ended_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["compound"], ["compounds.id"], name=op.f("fk_drills_compound_compounds")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drills")),
        sa.UniqueConstraint("running", name=op.f("uq_drills_running")),
    )
    with op.batch_alter_table("drills") as batch_op:
        batch_op.create_index("ix_drills_compound", ["compound", "started_at"], unique=False)

    op.create_table(
        "drill_incidents",
        sa.Column("drill", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("due_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("raised_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("incident", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["drill"], ["drills.id"], name=op.f("fk_drill_incidents_drill_drills"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
            name=op.f("fk_drill_incidents_incident_incidents"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("drill", "number", name=op.f("pk_drill_incidents")),
    )
    with op.batch_alter_table("drill_incidents") as batch_op:
        batch_op.create_index("ix_drill_incidents_due", ["raised_at", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_drill_incidents_incident"), ["incident"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

"""patrols

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "patrol_checkpoints",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=True),
        sa.Column("code_digest", sa.String(length=64), nullable=True),
        sa.Column("former_digest", sa.String(length=64), nullable=True),
        sa.Column("code_made_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("retired_at", storage.columns.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_patrol_checkpoints_compound_compounds")
        ),
        sa.ForeignKeyConstraint(["zone"], ["zones.id"], name=op.f("fk_patrol_checkpoints_zone_zones")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_checkpoints")),
        sa.UniqueConstraint("code_digest", name=op.f("uq_patrol_checkpoints_code_digest")),
        sa.UniqueConstraint("compound", "name", name=op.f("uq_patrol_checkpoints_compound")),
    )
    with op.batch_alter_table("patrol_checkpoints") as batch_op:
        batch_op.create_index(batch_op.f("ix_patrol_checkpoints_compound"), ["compound"], unique=False)
        batch_op.create_index(batch_op.f("ix_patrol_checkpoints_device"), ["device"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_patrol_checkpoints_former_digest"), ["former_digest"], unique=False
        )
    op.create_table(
        "patrol_routes",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("team", sa.String(length=64), nullable=False),
        sa.Column("in_order", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("least_s", sa.Integer(), nullable=True),
        sa.Column("most_s", sa.Integer(), nullable=True),
        sa.Column("tolerance_min", sa.Integer(), server_default="10", nullable=False),
        sa.Column("created_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("retired_at", storage.columns.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_patrol_routes_compound_compounds")
        ),
        sa.ForeignKeyConstraint(["team"], ["teams.id"], name=op.f("fk_patrol_routes_team_teams")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_routes")),
        sa.UniqueConstraint("compound", "name", name=op.f("uq_patrol_routes_compound")),
    )
    with op.batch_alter_table("patrol_routes") as batch_op:
        batch_op.create_index(batch_op.f("ix_patrol_routes_compound"), ["compound"], unique=False)
    op.create_table(
        "patrol_points",
        sa.Column("route", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("checkpoint", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["checkpoint"],
            ["patrol_checkpoints.id"],
            name=op.f("fk_patrol_points_checkpoint_patrol_checkpoints"),
        ),
        sa.ForeignKeyConstraint(
            ["route"],
            ["patrol_routes.id"],
            name=op.f("fk_patrol_points_route_patrol_routes"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("route", "number", name=op.f("pk_patrol_points")),
        sa.UniqueConstraint("route", "checkpoint", name=op.f("uq_patrol_points_route")),
    )
    with op.batch_alter_table("patrol_points") as batch_op:
        batch_op.create_index(batch_op.f("ix_patrol_points_checkpoint"), ["checkpoint"], unique=False)
    op.create_table(
        "patrol_rounds",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("route", sa.String(length=32), nullable=False),
        sa.Column("schedule", sa.String(length=32), nullable=True),
        sa.Column("due_from", storage.columns.UtcTime(), nullable=False),
        sa.Column("due_until", storage.columns.UtcTime(), nullable=False),
        sa.Column("counts_until", storage.columns.UtcTime(), nullable=False),
        sa.Column("responder", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("plan", storage.columns.JsonText(), nullable=False),
        sa.Column("started_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("ended_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("told_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("reason", storage.columns.EncryptedText(), nullable=True),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_patrol_rounds_compound_compounds")
        ),
        sa.ForeignKeyConstraint(
            ["responder"],
            ["responders.id"],
            name=op.f("fk_patrol_rounds_responder_responders"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["route"], ["patrol_routes.id"], name=op.f("fk_patrol_rounds_route_patrol_routes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_rounds")),
        sa.UniqueConstraint("route", "due_from", name=op.f("uq_patrol_rounds_route")),
    )
    with op.batch_alter_table("patrol_rounds") as batch_op:
        batch_op.create_index("ix_patrol_rounds_due", ["compound", "due_until"], unique=False)
        batch_op.create_index("ix_patrol_rounds_responder", ["responder", "due_from"], unique=False)
        batch_op.create_index("ix_patrol_rounds_state", ["state", "due_from"], unique=False)
    op.create_table(
        "patrol_schedules",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("route", sa.String(length=32), nullable=False),
        sa.Column("weekdays", storage.columns.JsonText(), nullable=False),
        sa.Column("day_kinds", storage.columns.JsonText(), nullable=False),
        sa.Column("times", storage.columns.JsonText(), nullable=False),
        sa.Column("lasts_min", sa.Integer(), nullable=False),
        sa.Column("ended_at", storage.columns.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_patrol_schedules_compound_compounds")
        ),
        sa.ForeignKeyConstraint(
            ["route"],
            ["patrol_routes.id"],
            name=op.f("fk_patrol_schedules_route_patrol_routes"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_schedules")),
    )
    with op.batch_alter_table("patrol_schedules") as batch_op:
        batch_op.create_index(batch_op.f("ix_patrol_schedules_compound"), ["compound"], unique=False)
        batch_op.create_index(batch_op.f("ix_patrol_schedules_route"), ["route"], unique=False)
    op.create_table(
        "patrol_visits",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("client", sa.String(length=80), nullable=False),
        sa.Column("round", sa.String(length=32), nullable=True),
        sa.Column("checkpoint", sa.String(length=32), nullable=False),
        sa.Column("responder", sa.String(length=64), nullable=True),
        sa.Column("how", sa.String(length=8), nullable=False),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.Column("device_time", storage.columns.UtcTime(), nullable=True),
        sa.Column("received_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("told_late", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("old_code", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("reason", storage.columns.EncryptedText(), nullable=True),
        sa.Column("event", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["checkpoint"],
            ["patrol_checkpoints.id"],
            name=op.f("fk_patrol_visits_checkpoint_patrol_checkpoints"),
        ),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_patrol_visits_compound_compounds")
        ),
        sa.ForeignKeyConstraint(
            ["responder"],
            ["responders.id"],
            name=op.f("fk_patrol_visits_responder_responders"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["round"],
            ["patrol_rounds.id"],
            name=op.f("fk_patrol_visits_round_patrol_rounds"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_visits")),
        sa.UniqueConstraint("compound", "client", name=op.f("uq_patrol_visits_compound")),
    )
    with op.batch_alter_table("patrol_visits") as batch_op:
        batch_op.create_index(batch_op.f("ix_patrol_visits_event"), ["event"], unique=False)
        batch_op.create_index("ix_patrol_visits_at", ["compound", "at"], unique=False)
        batch_op.create_index("ix_patrol_visits_received", ["compound", "received_at"], unique=False)
        batch_op.create_index("ix_patrol_visits_round", ["round"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

"""rosters, calendars and check-ins

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_days",
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_calendar_days_compound_compounds")
        ),
        sa.PrimaryKeyConstraint("compound", "day", name=op.f("pk_calendar_days")),
    )

    op.create_table(
        "calendar_years",
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=128), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_calendar_years_compound_compounds")
        ),
        sa.PrimaryKeyConstraint("compound", "year", name=op.f("pk_calendar_years")),
    )

    op.create_table(
        "duty_rules",
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("rest_h", sa.Integer(), nullable=False),
        sa.Column("check_in_h", sa.Integer(), nullable=False),
        sa.Column("approve_swaps", sa.Boolean(), nullable=False),
        sa.Column("check_coverage", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.CheckConstraint("check_in_h BETWEEN 1 AND 24", name=op.f("ck_duty_rules_check_in")),
        sa.CheckConstraint("rest_h BETWEEN 0 AND 48", name=op.f("ck_duty_rules_rest")),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_duty_rules_compound_compounds")
        ),
        sa.PrimaryKeyConstraint("compound", name=op.f("pk_duty_rules")),
    )

    op.create_table(
        "roster_gaps",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("need", sa.String(length=16), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=True),
        sa.Column("starts_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("ends_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("have", sa.Integer(), nullable=False),
        sa.Column("want", sa.Integer(), nullable=False),
        sa.Column("found_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("closed_at", storage.columns.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_roster_gaps_compound_compounds")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_gaps")),
    )

    with op.batch_alter_table("roster_gaps") as batch_op:
        batch_op.create_index(batch_op.f("ix_roster_gaps_compound"), ["compound"], unique=False)
        batch_op.create_index("ix_roster_gaps_open", ["compound", "closed_at"], unique=False)

    op.create_table(
        "rosters",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("team", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("slots", storage.columns.JsonText(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("replaces", sa.String(length=64), nullable=True),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("changed_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["compound"], ["compounds.id"], name=op.f("fk_rosters_compound_compounds")),
        sa.ForeignKeyConstraint(["replaces"], ["rosters.id"], name=op.f("fk_rosters_replaces_rosters")),
        sa.ForeignKeyConstraint(["team"], ["teams.id"], name=op.f("fk_rosters_team_teams")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rosters")),
    )

    with op.batch_alter_table("rosters") as batch_op:
        batch_op.create_index(batch_op.f("ix_rosters_compound"), ["compound"], unique=False)
        batch_op.create_index(batch_op.f("ix_rosters_team"), ["team"], unique=False)

    op.create_table(
        "duty_changes",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("made_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("instead_of", sa.String(length=64), nullable=False),
        sa.Column("responder", sa.String(length=64), nullable=True),
        sa.Column("starts_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("ends_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("reason", storage.columns.EncryptedText(), nullable=True),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("swap", sa.String(length=32), nullable=True),
        sa.Column("ended_at", storage.columns.UtcTime(), nullable=True),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_duty_changes_ends")),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_duty_changes_compound_compounds")
        ),
        sa.ForeignKeyConstraint(
            ["instead_of"], ["responders.id"], name=op.f("fk_duty_changes_instead_of_responders")
        ),
        sa.ForeignKeyConstraint(
            ["responder"], ["responders.id"], name=op.f("fk_duty_changes_responder_responders")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_changes")),
    )

    with op.batch_alter_table("duty_changes") as batch_op:
        batch_op.create_index(batch_op.f("ix_duty_changes_compound"), ["compound"], unique=False)
        batch_op.create_index(batch_op.f("ix_duty_changes_instead_of"), ["instead_of"], unique=False)
        batch_op.create_index("ix_duty_changes_time", ["compound", "ends_at"], unique=False)

    op.create_table(
        "duty_feeds",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("responder", sa.String(length=64), nullable=True),
        sa.Column("team", sa.String(length=64), nullable=True),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("created_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("revoked_at", storage.columns.UtcTime(), nullable=True),
        sa.CheckConstraint("(responder IS NULL) <> (team IS NULL)", name=op.f("ck_duty_feeds_whose")),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_duty_feeds_compound_compounds")
        ),
        sa.ForeignKeyConstraint(
            ["responder"],
            ["responders.id"],
            name=op.f("fk_duty_feeds_responder_responders"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["team"], ["teams.id"], name=op.f("fk_duty_feeds_team_teams")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_feeds")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_duty_feeds_token_hash")),
    )

    with op.batch_alter_table("duty_feeds") as batch_op:
        batch_op.create_index(batch_op.f("ix_duty_feeds_compound"), ["compound"], unique=False)

    op.create_table(
        "duty_swaps",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("shift", sa.String(length=64), nullable=False),
        sa.Column("asker", sa.String(length=64), nullable=False),
        sa.Column("colleague", sa.String(length=64), nullable=True),
        sa.Column("back", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("starts_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("ends_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("asked_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("answered_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["asker"], ["responders.id"], name=op.f("fk_duty_swaps_asker_responders")),
        sa.ForeignKeyConstraint(
            ["colleague"], ["responders.id"], name=op.f("fk_duty_swaps_colleague_responders")
        ),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_duty_swaps_compound_compounds")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_swaps")),
    )

    with op.batch_alter_table("duty_swaps") as batch_op:
        batch_op.create_index(batch_op.f("ix_duty_swaps_asker"), ["asker"], unique=False)
        batch_op.create_index(batch_op.f("ix_duty_swaps_colleague"), ["colleague"], unique=False)
        batch_op.create_index(batch_op.f("ix_duty_swaps_compound"), ["compound"], unique=False)
        batch_op.create_index("ix_duty_swaps_open", ["compound", "state", "starts_at"], unique=False)

    with op.batch_alter_table("shifts") as batch_op:
        batch_op.add_column(sa.Column("place", sa.String(length=160), nullable=True))
        batch_op.add_column(sa.Column("touched", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("checked_in_at", storage.columns.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("checked_out_at", storage.columns.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("closed_by", sa.String(length=64), nullable=True))
        batch_op.create_index("ix_shifts_responder", ["responder", "starts_at"], unique=False)
        batch_op.create_index(
            "uq_shifts_checked_in",
            ["responder"],
            unique=True,
            sqlite_where=sa.text("checked_in_at IS NOT NULL AND checked_out_at IS NULL"),
            postgresql_where=sa.text("checked_in_at IS NOT NULL AND checked_out_at IS NULL"),
        )
        batch_op.create_index("uq_shifts_place", ["roster", "place"], unique=True)


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

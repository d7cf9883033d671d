"""views that are kept, and indices for looking back

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

import storage.columns
from storage.database import Database
from storage.patience import build_index, online

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

HISTORY = (
    *("compound", "raised_at", "id", "severity", "ring", "zone", "kind", "rule", "state"),
    *("false_alarm_reason", "device_id", "drill", "care"),
)


def before(database: Database) -> None:
    """Makes the indices while others write; `upgrade` then finds them."""
    with online(database) as connection:
        build_index(connection, "ix_incidents_history", "incidents", ", ".join(HISTORY))
        build_index(connection, "ix_incidents_subject", "incidents", "compound, subject, raised_at")
        for name, column in (("somebody", "person_id"), ("plate", "plate")):
            build_index(
                connection,
                f"ix_decisions_{name}",
                "decisions",
                f"compound, {column}, at",
                f"{column} IS NOT NULL",
            )


def upgrade() -> None:
    op.create_table(
        "saved_views",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("name", storage.columns.EncryptedText(), nullable=False),
        sa.Column("filters", storage.columns.JsonText(), nullable=False),
        sa.Column("shared", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("made_at", storage.columns.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner"], ["users.id"], name=op.f("fk_saved_views_owner_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
    )
    with op.batch_alter_table("saved_views") as batch_op:
        batch_op.create_index(batch_op.f("ix_saved_views_owner"), ["owner"], unique=False)
        batch_op.create_index("ix_saved_views_compound", ["compound", "shared"], unique=False)

    op.create_table(
        "default_views",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("user", sa.String(length=32), nullable=False),
        sa.Column("view", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["user"], ["users.id"], name=op.f("fk_default_views_user_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["view"], ["saved_views.id"], name=op.f("fk_default_views_view_saved_views"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_default_views")),
        sa.UniqueConstraint("compound", "user", name=op.f("uq_default_views_compound")),
    )
    with op.batch_alter_table("default_views") as batch_op:
        batch_op.create_index(batch_op.f("ix_default_views_view"), ["view"], unique=False)

    op.create_table(
        "search_counts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("user", sa.String(length=32), nullable=False),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_counts")),
    )
    with op.batch_alter_table("search_counts") as batch_op:
        batch_op.create_index("ix_search_counts_user", ["user", "at"], unique=False)

    op.create_index("ix_incidents_history", "incidents", list(HISTORY), if_not_exists=True)
    op.create_index(
        "ix_incidents_subject", "incidents", ["compound", "subject", "raised_at"], if_not_exists=True
    )
    op.create_index(
        "ix_decisions_somebody",
        "decisions",
        ["compound", "person_id", "at"],
        sqlite_where=sa.text("person_id IS NOT NULL"),
        postgresql_where=sa.text("person_id IS NOT NULL"),
        if_not_exists=True,
    )
    op.create_index(
        "ix_decisions_plate",
        "decisions",
        ["compound", "plate", "at"],
        sqlite_where=sa.text("plate IS NOT NULL"),
        postgresql_where=sa.text("plate IS NOT NULL"),
        if_not_exists=True,
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

"""drafts of the rules, tried on the past

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rule_trials",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("compound", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=16), nullable=True),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("starts_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("ends_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("looked_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("heard_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("seen", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ended_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("why", sa.String(length=16), nullable=True),
        sa.Column("result", storage.columns.JsonText(), nullable=True),
        sa.Column("kept_as", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "uq_rule_trials_running",
        "rule_trials",
        ["compound"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

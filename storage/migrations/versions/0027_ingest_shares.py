"""which ingests listen, and to what

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ingest_shares",
        sa.Column("client_id", sa.String(length=128), nullable=False),
        sa.Column("compounds", storage.columns.JsonText(), nullable=True),
        sa.Column("vendor_topics", storage.columns.JsonText(), nullable=True),
        sa.Column("heard_at", storage.columns.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("client_id"),
    )

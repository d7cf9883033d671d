"""which ingests listen, and to what

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0026"
down_revision = "0025"
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

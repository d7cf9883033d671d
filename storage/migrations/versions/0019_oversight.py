"""indices by which the audit log and refused messages are asked for

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Made outside a batch: rebuilding `audit` would need its guards again.
    for column in ("actor", "action", "purpose"):
        op.create_index(f"ix_audit_{column}", "audit", [column, "seq"])
    op.create_index("ix_dead_letters_reason", "dead_letters", ["reason", "received_at", "compound"])


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

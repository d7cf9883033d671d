"""indices by which the audit log and refused messages are asked for

Revision ID: 0019
Revises: 0018
"""

from alembic import op

from storage.database import Database
from storage.patience import build_index, online

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

COLUMNS = ("actor", "action", "purpose")


def before(database: Database) -> None:
    """Makes the indices while others write; `upgrade` then finds them."""
    with online(database) as connection:
        for column in COLUMNS:
            build_index(connection, f"ix_audit_{column}", "audit", f"{column}, seq")
        build_index(connection, "ix_dead_letters_reason", "dead_letters", "reason, received_at, compound")


def upgrade() -> None:
    # Made outside a batch: rebuilding `audit` would need its guards again.
    for column in COLUMNS:
        op.create_index(f"ix_audit_{column}", "audit", [column, "seq"], if_not_exists=True)
    op.create_index(
        "ix_dead_letters_reason", "dead_letters", ["reason", "received_at", "compound"], if_not_exists=True
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

"""registry services

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _storage()
    _registry()
    _devices()
    _privacy()
    _console()


def _storage() -> None:
    pass


def _registry() -> None:
    pass


def _devices() -> None:
    pass


def _privacy() -> None:
    pass


def _console() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")

"""The version after this one: this tree with one more migration, and a higher number."""

from pathlib import Path
from typing import Final

from alembic.script import ScriptDirectory

from storage import migrate

ROOT: Final = Path(__file__).parents[2]
_OWN: Final = ("tests", "docs", "deploy", "requirements")
VERSION: Final = "99.0.0"
_MIGRATION: Final = '''"""what the version after this one adds

Revision ID: {revision}
Revises: {head}
"""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("of_the_next_version", sa.Column("id", sa.Integer(), primary_key=True))
    op.add_column("events", sa.Column("of_the_next_version", sa.Text(), nullable=True))
    op.add_column("incidents", sa.Column("of_the_next_version", sa.Text(), nullable=True))
'''


def make(folder: Path) -> tuple[Path, str]:
    """Where its code is, made of links to this one's; and the revision of its schema."""
    head = ScriptDirectory.from_config(migrate._config()).get_current_head()
    assert head is not None
    revision = f"{int(head) + 1:04d}"
    tree = folder / "next"
    tree.mkdir()
    for package in ROOT.iterdir():
        if (package / "__init__.py").exists() and package.name not in (*_OWN, "ringward", "storage"):
            (tree / package.name).symlink_to(package)
    _linked(ROOT / "ringward", tree / "ringward", but="__init__.py")
    text = (ROOT / "ringward" / "__init__.py").read_text()
    (tree / "ringward" / "__init__.py").write_text(f'{text}\n__version__ = "{VERSION}"\n')
    _linked(ROOT / "storage", tree / "storage", but="migrations")
    _linked(ROOT / "storage" / "migrations", tree / "storage" / "migrations", but="versions")
    versions = tree / "storage" / "migrations" / "versions"
    _linked(ROOT / "storage" / "migrations" / "versions", versions)
    (versions / f"{revision}_next.py").write_text(_MIGRATION.format(revision=revision, head=head))
    return tree, revision


def _linked(original: Path, copy: Path, but: str = "") -> None:
    copy.mkdir()
    for path in original.iterdir():
        if path.name not in {but, "__pycache__"}:
            (copy / path.name).symlink_to(path)

"""The declarative base that every room's `models.py` builds on."""

from typing import Any

from sqlalchemy import Integer, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

# Named constraints, so that a migration can drop on PostgreSQL what it made on SQLite.
NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """One metadata for all rooms: a foreign key may cross a wall, an import may not."""

    metadata = MetaData(naming_convention=NAMING)


class Versioned:
    """Mixin of what two people may edit at once.

    A change that was made on an older version than the stored one raises SQLAlchemy's
    `StaleDataError` at the flush instead of overwriting the other's.
    """

    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}

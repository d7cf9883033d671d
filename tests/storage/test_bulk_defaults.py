"""What a bulk insert leaves to a column's default is what the column says, and its order is the caller's."""

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from storage import Database, JsonText
from storage.bulk import BulkInsert


class Apart(DeclarativeBase):
    """Not the product's: whatever walks over that one's tables and classes does not meet this."""


class Thing(Apart):
    __tablename__ = "things_in_bulk"

    id: Mapped[int] = mapped_column(primary_key=True)
    guarded: Mapped[bool] = mapped_column(default=True)
    zones: Mapped[list[str]] = mapped_column(JsonText, default=list)
    note: Mapped[str | None]


def test_columns_that_are_not_named_get_their_defaults(either_database: Database) -> None:
    database = either_database
    Thing.__table__.create(database.engine)
    try:
        with database.write() as session:
            BulkInsert(Thing.__table__, ("id", "note")).execute(session, [(n, f"n{n}") for n in range(70)])
            BulkInsert(Thing.__table__, ("note", "guarded", "id")).execute(session, [("last", False, 70)])
        with database.read() as session:
            rows = list(session.scalars(sa.select(Thing).order_by(Thing.id)))
            assert len(rows) == 71
            assert all(row.guarded and row.zones == [] for row in rows[:70])
            assert (rows[7].note, rows[70].guarded, rows[70].note) == ("n7", False, "last")
    finally:
        Thing.__table__.drop(database.engine)

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import Column, String, Table, inspect, select

import ringward.schema
from devices import clocks, presence
from devices.models import DeviceStatus
from storage import Database, migrate
from tests.support.clock import NOON
from tests.support.compound import facts, settle_in


def test_upgrade_from_empty_gives_what_the_code_expects(either_database: Database) -> None:
    assert migrate.drift(either_database, ringward.schema.metadata) == []


def test_upgrade_again_changes_nothing(either_database: Database) -> None:
    settle_in(either_database)
    migrate.upgrade(either_database)
    assert migrate.drift(either_database, ringward.schema.metadata) == []
    with either_database.read() as session:
        assert len(session.scalars(select(ringward.schema.metadata.tables["devices"].c.id)).all()) == 4


def test_column_types_agree_too(postgres) -> None:
    # `drift` leaves types out, since SQLite has almost none; PostgreSQL has, and can tell.
    with postgres.database() as database:
        assert migrate.drift(database, ringward.schema.metadata, types=True) == []


def test_primary_keys_agree_too(either_database: Database) -> None:
    # Alembic does not compare them: a row that is one thing in the code may be another in the database.
    found = inspect(either_database.engine)
    for table in ringward.schema.metadata.sorted_tables:
        key = found.get_pk_constraint(table.name)["constrained_columns"]
        assert key == [column.name for column in table.primary_key], table.name


def test_missing_table_is_drift(tmp_path: Path) -> None:
    empty = Database.at(tmp_path / "empty.db")
    assert len(migrate.drift(empty, ringward.schema.metadata)) >= len(ringward.schema.metadata.tables)
    empty.close()


def test_missing_column_is_drift(database: Database) -> None:
    wider = type(ringward.schema.metadata)(naming_convention=ringward.schema.metadata.naming_convention)
    for table in ringward.schema.metadata.tables.values():
        table.to_metadata(wider)
    Table("devices", wider, Column("maker", String(32)), extend_existing=True)
    (difference,) = migrate.drift(database, wider)
    assert difference[0] == "add_column"


@pytest.mark.parametrize("years", [-56, 50])
def test_clock_that_is_decades_off_can_be_stored(either_database: Database, years: int) -> None:
    # A camera with an empty battery wakes up in 1970: more milliseconds than 32 bits hold.
    settle_in(either_database)
    offset = dt.timedelta(days=365 * years)
    with either_database.write() as session:
        presence.ensure_rows(session, NOON)
        clocks.note(session, facts(either_database, "cam-1"), offset, NOON, sure=False)
    with either_database.read() as session:
        assert session.get(DeviceStatus, "cam-1").clock_offset_ms == offset / dt.timedelta(milliseconds=1)

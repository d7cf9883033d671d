"""Migrations run while the version before is still at work: its statements mean the same afterwards.

The older version is played by its own tables, as they are read from a database at its
revision: it names the columns it knows and no others.
"""

import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    delete,
    insert,
    select,
    update,
)

import ringward.schema
from storage import Database, migrate
from storage.audit import AuditEntry, append, verify
from tests.support.clock import NOON

OLD = "0002"
# The log has an order of its own and a test of its own; versions and checkpoints are no data.
APART = {"audit", "audit_checkpoints", *migrate.OURS}
LATER = {"ends_at", "to_at", "until", "expires_at"}


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path, ring) -> Iterator[Database]:
    """An empty database of the version before."""
    if request.param == "sqlite":
        database = Database.at(tmp_path / "old.db")
        migrate.upgrade(database, OLD)
        yield database
        database.close()
        return
    with request.getfixturevalue("postgres").empty() as url:
        database = Database(url)
        migrate.upgrade(database, OLD)
        yield database
        database.close()


def tables_of(database: Database) -> list[Table]:
    """The tables as the running version knows them, in the order in which they may be filled."""
    metadata = MetaData()
    metadata.reflect(database.engine)
    return [table for table in metadata.sorted_tables if table.name not in APART]


def row(table: Table, name: str) -> dict[str, Any]:
    """A row of that table, whose references are to the rows of the same name in the others."""
    return {column.name: value(table, column, name) for column in table.columns}


def value(table: Table, column: Column[Any], name: str) -> Any:
    references = [key.column.table.name for key in column.foreign_keys]
    if references == [table.name]:
        return None
    if references or (column.primary_key and not isinstance(column.type, Integer)):
        return name
    later = column.name in LATER
    number = ord(name) * 2 + later
    match column.type:
        case Boolean():
            return True
        case Integer():
            return number
        case Float():
            return 0.5
        case Date():
            return dt.date(2026, 11, 23 + later)
        case DateTime():
            return NOON + dt.timedelta(days=later)
        case LargeBinary():
            return b"\0" + name.encode()
        case _:
            length = getattr(column.type, "length", None) or 64
            return f"{name}{column.name}"[:length]


def fill(database: Database, tables: list[Table], name: str) -> None:
    with database.engine.begin() as connection:
        for table in tables:
            connection.execute(insert(table), row(table, name))


def test_what_the_older_version_says_means_the_same_before_and_after(old: Database) -> None:
    tables = tables_of(old)
    assert len(tables) > 50
    fill(old, tables, "a")
    before = {table.name: kept(old, table, "a") for table in tables}
    migrate.upgrade(old)
    assert migrate.drift(old, ringward.schema.metadata) == []

    # What was there is there, and the older version writes, changes and deletes as ever.
    assert {table.name: kept(old, table, "a") for table in tables} == before
    fill(old, tables, "b")
    with old.engine.begin() as connection:
        for table in tables:
            plain = next(
                (c for c in table.columns if not c.primary_key and not c.foreign_keys and c.nullable), None
            )
            if plain is not None:
                changed = connection.execute(update(table).where(is_of(table, "b")).values({plain: None}))
                assert changed.rowcount == 1, table.name
        for table in reversed(tables):
            assert connection.execute(delete(table).where(is_of(table, "b"))).rowcount == 1, table.name
    assert {table.name: kept(old, table, "a") for table in tables} == before


def kept(database: Database, table: Table, name: str) -> tuple[Any, ...]:
    with database.engine.connect() as connection:
        return tuple(connection.execute(select(table).where(is_of(table, name))).one())


def is_of(table: Table, name: str) -> Any:
    key = next(iter(table.primary_key.columns))
    return key == value(table, key, name)


def test_task_of_the_older_version_has_no_photo_and_may_get_one(old: Database) -> None:
    """Migration 0020: `dispatches.media_id`."""
    fill(old, tables_of(old), "a")
    migrate.upgrade(old, "0019")
    assert "media_id" not in {table.name: table for table in tables_of(old)}["dispatches"].columns
    migrate.upgrade(old, "0020")
    tasks = {table.name: table for table in tables_of(old)}["dispatches"]
    with old.engine.begin() as connection:
        assert connection.scalars(select(tasks.c.media_id)).all() == [None]
        connection.execute(update(tasks).values(media_id="f" * 64))
        assert connection.scalars(select(tasks.c.media_id)).all() == ["f" * 64]


def test_audit_log_of_the_older_version_goes_on(old: Database) -> None:
    entry = AuditEntry("u-1", "operator", "person.read", "incident", "person:p-1", "2 fields")
    for _ in range(2):
        with old.write() as session:
            append(session, NOON, entry)
    migrate.upgrade(old)
    for _ in range(2):
        with old.write() as session:
            append(session, NOON, entry)
    with old.read() as session:
        assert verify(session) is None


def test_upgrade_does_not_disturb_who_is_writing(old: Database) -> None:
    tables = {table.name: table for table in tables_of(old)}
    events, stop, written, failed = tables["events"], threading.Event(), [], []

    def go_on() -> None:
        while not stop.is_set():
            columns = row(events, "a") | {"id": f"e{len(written)}", "record_id": f"{len(written)}"}
            try:
                with old.engine.begin() as connection:
                    connection.execute(insert(events), columns)
            except Exception as error:  # noqa: BLE001 - what it is is what the test is about
                failed.append(error)
                return
            written.append(columns["id"])

    writer = threading.Thread(target=go_on)
    writer.start()
    try:
        while len(written) < 5 and not failed:
            stop.wait(0.01)
        migrate.upgrade(old)
        seen = len(written)
        while len(written) < seen + 5 and not failed:
            stop.wait(0.01)
    finally:
        stop.set()
        writer.join()
    assert failed == []
    with old.engine.connect() as connection:
        assert set(connection.scalars(select(events.c.id))) == set(written)

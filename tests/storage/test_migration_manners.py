"""Migrations of a filled PostgreSQL while others write: nobody waits for long, nothing fails, nothing is lost."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import insert, text

import ringward.schema
from storage import Database, migrate, patience
from storage.patience import again, changing
from tests.storage.test_rolling_upgrade import OLD, fill, row, tables_of
from tests.support import manners
from tests.support.postgres import Postgres
from tests.support.waiting import wait_until

MANY = 3000


@pytest.fixture
def old(postgres: Postgres, ring: Any) -> Iterator[Database]:
    """A database of an old version with rows in every table and many events."""
    with postgres.empty() as url:
        database = Database(url)
        migrate.upgrade(database, OLD)
        tables = tables_of(database)
        fill(database, tables, "a")
        events = next(table for table in tables if table.name == "events")
        with database.engine.begin() as connection:
            connection.execute(insert(events), [event(events, n) for n in range(MANY)])
        yield database
        database.close()


def event(events: Any, number: int) -> dict[str, Any]:
    return row(events, "a") | {
        "id": f"{1_700_000_000_000 + number:012x}{number:020x}",
        "record_id": str(number),
    }


def test_each_migration_is_polite_while_others_write(old: Database) -> None:
    events = next(table for table in tables_of(old) if table.name == "events")
    working = Database(old.url)

    def write(number: int) -> None:
        with working.engine.begin() as connection:
            connection.execute(insert(events), event(events, MANY + number))

    with manners.watching(old) as seen, manners.writers(seen, write):
        wait_until(lambda: seen.written > 5, "the writers write")
        migrate.upgrade(old)
        through = seen.written
        wait_until(lambda: seen.failed or seen.written > through + 5, "they write on")
    assert seen.failed == []
    assert seen.unbounded == []
    assert any("CONCURRENTLY" in said for said, _, _ in seen.statements)
    assert migrate.drift(old, ringward.schema.metadata) == []
    with old.read() as session:
        assert session.scalar(text("SELECT count(*) FROM events")) == 1 + MANY + seen.written
    working.close()


def test_who_is_in_the_way_is_waited_for_and_lets_others_pass(
    old: Database,
) -> None:
    tried, blocking = threading.Event(), Database(old.url, idle_writer_s=60)
    turns = 0

    def change() -> None:
        nonlocal turns
        turns += 1
        with changing(old, lock_s=0.1) as connection:
            connection.exec_driver_sql("ALTER TABLE devices ADD COLUMN later integer")

    with blocking.engine.connect() as connection:
        held = connection.begin()
        connection.exec_driver_sql("LOCK TABLE devices IN ROW EXCLUSIVE MODE")
        thread = threading.Thread(target=lambda: again(change, sleep=lambda _s: tried.set()))
        thread.start()
        assert tried.wait(60)
        held.rollback()
    thread.join(60)
    assert not thread.is_alive()
    assert turns > 1
    blocking.close()


def test_who_stays_in_the_way_ends_the_change(old: Database) -> None:
    blocking = Database(old.url, idle_writer_s=60)
    with blocking.engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("LOCK TABLE devices IN ROW EXCLUSIVE MODE")
        clock = iter(range(100)).__next__

        def change() -> None:
            with changing(old, lock_s=0.05) as other:
                other.exec_driver_sql("ALTER TABLE devices ADD COLUMN later integer")

        with pytest.raises(Exception, match="lock"):
            again(change, for_s=3, sleep=lambda _s: None, clock=lambda: float(clock()))
    blocking.close()


def test_index_that_was_broken_off_is_made_again(old: Database) -> None:
    with old.engine.begin() as connection:
        connection.exec_driver_sql("CREATE INDEX ix_broken ON events (zone)")
        connection.exec_driver_sql(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_broken'::regclass"
        )
    for _ in range(2):
        with patience.online(old) as connection:
            patience.build_index(connection, "ix_broken", "events", "zone")
            assert connection.exec_driver_sql(
                "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_broken'::regclass"
            ).scalar()


def test_two_processes_migrate_at_once_and_each_step_runs_once(old: Database) -> None:
    other = Database(old.url)
    failed: list[Exception] = []

    def go(database: Database) -> None:
        try:
            migrate.upgrade(database)
        except Exception as error:  # noqa: BLE001 - what it is is what the test is about
            failed.append(error)

    threads = [threading.Thread(target=go, args=(database,)) for database in (old, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failed == []
    assert migrate.drift(old, ringward.schema.metadata) == []
    other.close()

"""Processes of a deployment on PostgreSQL go by one clock, whatever their machines' clocks say."""

import datetime as dt
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from storage import Database, SystemClock
from storage.commonclock import CommonClock
from tests.support.clock import VirtualClock
from tests.support.postgres import Postgres
from tests.support.waiting import wait_until

LONG_AGO = dt.datetime(1999, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    with postgres.database() as database:
        yield database


def theirs(database: Database) -> dt.datetime:
    with database.read() as session:
        found = session.scalar(select(func.clock_timestamp()))
    assert found is not None
    return found


def test_a_clock_that_is_decades_wrong_counts_for_nothing(database: Database) -> None:
    own = VirtualClock(LONG_AGO)
    clock = CommonClock(database, own)
    assert clock.now() == LONG_AGO
    clock.start()
    before = theirs(database)
    now = clock.now()
    assert abs(now - before) < dt.timedelta(seconds=5)
    own.advance(3600)
    assert clock.now() - now < dt.timedelta(seconds=60)
    # Time goes on by itself, not only from look to look.
    wait_until(lambda: clock.now() > now + dt.timedelta(milliseconds=50), "time passes", 60)
    clock.stop()


def test_without_an_answer_it_goes_by_the_machine_and_later_by_the_last_answer() -> None:
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=1")
    clock = CommonClock(away, VirtualClock(LONG_AGO))
    clock.start()
    assert clock.now() == LONG_AGO
    clock.stop()
    away.close()


def test_a_database_that_went_away_leaves_time_as_it_was(database: Database) -> None:
    clock = CommonClock(database, VirtualClock(LONG_AGO))
    clock.look()
    database.close()
    assert abs(clock.now() - SystemClock().now()) < dt.timedelta(minutes=1)

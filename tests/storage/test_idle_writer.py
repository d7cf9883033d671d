"""A writer that sleeps in its transaction on PostgreSQL: the rows it holds are free again in time."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage import Database
from tests.support.postgres import Postgres
from tests.support.waiting import wait_until


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    with postgres.database() as database:
        with database.write() as session:
            session.execute(text("CREATE TABLE turns (name text PRIMARY KEY, holder text)"))
            session.execute(text("INSERT INTO turns VALUES ('door', 'nobody')"))
        yield database.url


TAKE = text("UPDATE turns SET holder = :holder WHERE name = 'door'")


def sleep_while_another_waits(sleeper: Database, other: Database) -> None:
    with sleeper.write() as asleep:
        asleep.execute(TAKE, {"holder": "sleeper"})
        # It says nothing more; this one waits for its lock.
        with other.write() as session:
            session.execute(TAKE, {"holder": "other"})
        asleep.execute(TAKE, {"holder": "sleeper"})


def test_who_waits_behind_a_sleeper_gets_its_turn(url: str) -> None:
    sleeper, other = Database(url, idle_writer_s=0.5), Database(url)
    with pytest.raises(DBAPIError):
        sleep_while_another_waits(sleeper, other)
    with other.read() as session:
        assert session.scalar(text("SELECT holder FROM turns")) == "other"
    # The one that woke goes on with a session of its own.
    with sleeper.write() as session:
        session.execute(TAKE, {"holder": "sleeper, awake"})
    sleeper.close()
    other.close()


def test_who_reads_may_think_for_as_long_as_it_likes(url: str) -> None:
    reader, onlooker = Database(url, idle_writer_s=0.2), Database(url)
    with reader.read() as session:
        session.execute(text("SELECT 1"))

        def has_stood() -> bool:
            with onlooker.read() as looking:
                return bool(
                    looking.scalar(
                        text(
                            "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
                            " AND datname = current_database() AND state_change < now() - interval '1 second'"
                        )
                    )
                )

        wait_until(has_stood, "it has stood still for longer than a writer may", 60)
        assert session.scalar(text("SELECT holder FROM turns")) == "nobody"
    reader.close()
    onlooker.close()

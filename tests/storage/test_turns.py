"""Writers of one process take turns on SQLite, and nobody keeps a turn after the transaction."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from storage import Database
from tests.support.waiting import wait_until


def test_second_writer_goes_on_as_soon_as_the_first_has_committed(database: Database):
    with database.write() as session:
        session.execute(text("CREATE TABLE notes (one INTEGER)"))
    began, seen = threading.Event(), []

    def second():
        began.set()
        with database.write() as session:
            seen.extend(session.scalars(text("SELECT one FROM notes")))
            session.execute(text("INSERT INTO notes VALUES (2)"))

    other = threading.Thread(target=second)
    with database.write() as session:
        session.execute(text("INSERT INTO notes VALUES (1)"))
        other.start()
        began.wait(10)
    other.join(10)
    assert seen == [1]


@pytest.mark.parametrize("statement", ["INSERT INTO nowhere VALUES (1)", "not SQL"])
def test_turn_ends_with_a_transaction_that_failed(database: Database, statement: str):
    with pytest.raises(OperationalError), database.write() as session:
        session.execute(text(statement))
    done = []

    def write():
        with database.write() as session:
            session.execute(text("CREATE TABLE notes (one INTEGER)"))
        done.append(True)

    other = threading.Thread(target=write)
    other.start()
    wait_until(lambda: bool(done), "the next writer had its turn")
    other.join()


def test_turn_ends_with_a_connection_that_is_thrown_away(database: Database):
    # What SQLAlchemy does when a thread is torn out of a statement.
    with database.write() as session:
        session.connection().invalidate()
        session.rollback()
    done = []

    def write():
        with database.write() as session:
            session.execute(text("CREATE TABLE notes (one INTEGER)"))
        done.append(True)

    other = threading.Thread(target=write)
    other.start()
    wait_until(lambda: bool(done), "the next writer had its turn")
    other.join()


def test_reader_needs_no_turn(database: Database):
    with database.write() as session:
        session.execute(text("CREATE TABLE notes (one INTEGER)"))
        with database.read() as reader:
            assert reader.scalar(text("SELECT 1")) == 1


def test_folded_log_is_in_the_file(database: Database):
    with database.write() as session:
        session.execute(text("CREATE TABLE folded_marker (one INTEGER)"))
    database.fold_log()
    path = Path(database.url.removeprefix("sqlite:///"))
    assert b"folded_marker" in path.read_bytes()

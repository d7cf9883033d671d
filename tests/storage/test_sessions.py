from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from registry.models import Compound
from storage import Database, new_id
from tests.support.compound import settle_in
from tests.support.threads import at_once


def compound(name: str = "c1") -> Compound:
    return Compound(id=name, name="红花苑")


def count(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Compound))


def test_write_commits_on_leaving(either_database: Database) -> None:
    with either_database.write() as session:
        session.add(compound())
    assert count(either_database) == 1


def test_write_takes_everything_back_on_an_exception(either_database: Database) -> None:
    def fail_after_writing() -> None:
        with either_database.write() as session:
            session.add(compound())
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_writing()
    assert count(either_database) == 0


def test_what_a_reader_changes_is_thrown_away(either_database: Database) -> None:
    with either_database.read() as session:
        session.add(compound())
        session.flush()
    assert count(either_database) == 0


def test_reader_sees_one_moment_and_is_not_held_up_by_a_writer(database: Database) -> None:
    with database.write() as writing:
        writing.add(compound())
        writing.flush()
        with database.read() as reading:
            assert reading.scalar(select(func.count()).select_from(Compound)) == 0
    assert count(database) == 1


def test_writers_at_once_wait_for_each_other(database: Database) -> None:
    # Each reads before it writes: without the lock taken first, SQLite refuses at once.
    threads, rounds = 6, 15

    def work(_: int) -> None:
        for _ in range(rounds):
            with database.write() as session:
                seen = session.scalar(select(func.count()).select_from(Compound))
                session.add(Compound(id=new_id(), name=str(seen)))

    assert at_once(threads, work) == []
    with database.read() as session:
        names = sorted(int(name) for name in session.scalars(select(Compound.name)))
    assert names == list(range(threads * rounds))


def test_acknowledged_means_on_disk(database: Database) -> None:
    with database.read() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA synchronous")) == 2
        assert session.scalar(text("PRAGMA foreign_keys")) == 1


def test_error_says_no_values(database: Database) -> None:
    with pytest.raises(Exception, match="UNIQUE") as raised, database.write() as session:
        session.add_all([Compound(id="c1", name="秘密"), Compound(id="c1", name="秘密")])
    assert "秘密" not in str(raised.value)


def test_ping_raises_when_nobody_answers() -> None:
    nobody = Database("postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=2")
    with pytest.raises(Exception, match="connection"):
        nobody.ping()
    nobody.close()


def test_statistics_tell_the_planner_how_many_rows_an_index_finds(either_database: Database) -> None:
    settle_in(either_database)
    either_database.refresh_statistics()
    if either_database.is_sqlite:
        with either_database.read() as session:
            known = session.scalars(text("SELECT tbl FROM sqlite_stat1")).all()
        assert {"compounds", "zones", "devices"} <= set(known)


def test_what_sqlite_keeps_in_memory_is_bounded_for_the_whole_process(tmp_path: Path) -> None:
    database, other = Database.at(tmp_path / "one.db"), Database.at(tmp_path / "other.db")

    def limit() -> int:
        with other.read() as session:
            return int(session.scalar(text("PRAGMA soft_heap_limit")) or 0)

    try:
        database.keep_at_most(24)
        assert limit() == 24 * 1024 * 1024
    finally:
        database.keep_at_most(0)
        database.close()
    assert limit() == 0
    other.close()

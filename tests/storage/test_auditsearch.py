"""Finding entries of the audit log, by indices whatever is asked."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from storage import Base, Database, audit
from storage.audit import AuditEntry
from storage.auditsearch import AuditFilter, entries, first_since, matching

START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.at(tmp_path / "audit.db")
    Base.metadata.create_all(database.engine)
    with database.write() as session:
        for number in range(30):
            entry = AuditEntry(
                f"u-{number % 3}",
                "operator",
                "person.viewed" if number % 2 else "incident.viewed",
                "review" if number % 5 == 0 else "monitoring",
                f"person:p-{number % 4}",
                compound="here" if number < 20 else "there",
            )
            audit.append(session, START + dt.timedelta(hours=number), entry)
    yield database
    database.close()


def found(database: Database, wanted: AuditFilter, **more: int) -> list[int]:
    with database.read() as session:
        return [row.seq for row in entries(session, wanted, **more)]


def test_filters_go_together_newest_first(database: Database) -> None:
    assert found(database, AuditFilter(actors=("u-1",), action="person.viewed")) == [26, 20, 14, 8, 2]
    assert found(database, AuditFilter(purpose="review", compound="here")) == [16, 11, 6, 1]
    assert found(database, AuditFilter(subject="person:p-3"), limit=2) == [28, 24]
    assert found(database, AuditFilter(), before=4) == [3, 2, 1]


def test_span_of_time_is_a_span_of_numbers(database: Database) -> None:
    begin, end = START + dt.timedelta(hours=3), START + dt.timedelta(hours=5)
    assert found(database, AuditFilter(since=begin, until=end)) == [5, 4]
    with database.read() as session:
        assert first_since(session, START - dt.timedelta(days=9)) == 1
        assert first_since(session, START + dt.timedelta(days=9)) == 31


def test_span_is_found_in_a_log_whose_old_end_was_cut_off(database: Database) -> None:
    with database.write() as session:
        audit.cut_off(session, START + dt.timedelta(hours=10), START + dt.timedelta(hours=40))
    with database.read() as session:
        assert first_since(session, START) == 11
        assert first_since(session, START + dt.timedelta(hours=12)) == 13


@pytest.mark.parametrize(
    "wanted",
    [
        AuditFilter(actors=("u-1",)),
        AuditFilter(action="person.viewed"),
        AuditFilter(purpose="review"),
        AuditFilter(subject="person:p-1"),
        AuditFilter(since=START, until=START + dt.timedelta(hours=4)),
    ],
)
def test_nothing_is_found_by_walking_through_the_whole_log(database: Database, wanted: AuditFilter) -> None:
    with database.read() as session:
        query = matching(session, wanted).order_by(text("seq DESC")).limit(50)
        compiled = query.compile(database.engine, compile_kwargs={"literal_binds": True})
        plan = " / ".join(str(row[-1]) for row in session.execute(text(f"EXPLAIN QUERY PLAN {compiled}")))
    assert "SEARCH" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan

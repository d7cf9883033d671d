import datetime as dt

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import IntegrityError

from storage import Database
from storage.columns import EncodedJson
from storage.events import EventRow, OutboxRow, enqueue, store
from tests.support.clock import NOON


def row(number: int) -> tuple:
    at = NOON + dt.timedelta(microseconds=number)
    return (
        f"{number:032x}", "honghua", "cam-1", f"r-{number}", "door.opened", "entrance", "gate", None, "in",
        at, at, at, number % 2, ("clock_skew",), EncodedJson('{"attributes":{"名":"东门"}}'), "0" * 32, 0,
        number or None,
    )  # fmt: skip


@pytest.mark.parametrize("count", [1, 2, 5, 341, 1000])
def test_every_row_arrives_with_its_values(either_database: Database, count: int) -> None:
    with either_database.write() as session:
        store(session, [row(number) for number in range(count)])
    with either_database.read() as session:
        stored = list(session.scalars(select(EventRow).order_by(EventRow.id)))
        assert len(stored) == count
        for number, found in enumerate(stored):
            assert found.record_id == f"r-{number}"
            assert found.device_time == NOON + dt.timedelta(microseconds=number)
            assert (found.late, found.lane, found.direction) == (number % 2, None, "in")
            assert found.marks == ["clock_skew"]
            assert found.revision == (number or None)
            assert found.body == {"attributes": {"名": "东门"}}


def test_no_rows_is_no_statement(database: Database) -> None:
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    with database.write() as session:
        store(session, [])
    assert statements == []


def test_many_rows_share_a_statement_on_sqlite(database: Database) -> None:
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    with database.write() as session:
        store(session, [row(number) for number in range(512)])
    assert len([text for text in statements if text.startswith("INSERT")]) == 2


def test_one_bad_row_takes_the_whole_batch_back(either_database: Database) -> None:
    with pytest.raises(IntegrityError), either_database.write() as session:
        store(session, [row(1), row(2), row(1)])
    with either_database.read() as session:
        assert session.scalar(select(func.count()).select_from(EventRow)) == 0


def test_bytes_are_bytes_on_the_other_side(either_database: Database) -> None:
    payload = bytes(range(256))
    with either_database.write() as session:
        enqueue(session, [("m-1", "event.x", payload)])
    with either_database.read() as session:
        assert session.scalar(select(OutboxRow.payload)) == payload

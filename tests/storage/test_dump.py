import datetime as dt

import pytest
from sqlalchemy import JSON, Column, MetaData, Table, event, insert, select

import ringward.schema
from privacy.models import PassageCount
from registry.models import FaceTemplate, Person
from storage import Database, dump, migrate
from storage.archive import DamagedError
from storage.dump import Loader
from storage.events import EventRow, OutboxRow
from tests.support.compound import COMPOUND, settle_in

METADATA = ringward.schema.metadata
TIMES = [
    dt.datetime(1, 1, 1, tzinfo=dt.UTC),
    dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC),
    dt.datetime(2026, 11, 23, 4, 0, 0, 1, tzinfo=dt.UTC),
    dt.datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC),
]


@pytest.fixture(params=["sqlite", "postgresql"])
def other(request: pytest.FixtureRequest, tmp_path):
    """An empty database to load into, of either kind."""
    if request.param == "sqlite":
        database = Database.at(tmp_path / "other.db")
        migrate.upgrade(database)
        yield database
        database.close()
        return
    with request.getfixturevalue("postgres").database() as database:
        yield database


def carry(source: Database, target: Database) -> dict[str, int]:
    with source.read() as session, migrate.unhindered(target) as connection:
        loader = Loader(connection)
        for frame in dump.dump(session.connection(), METADATA):
            loader.take(frame)
        loader.close()
        assert dump.counts(connection, list(loader.counts)) == loader.counts
        return loader.counts


def load(database: Database, frames: list) -> None:
    with migrate.unhindered(database) as connection:
        loader = Loader(connection)
        for frame in frames:
            loader.take(frame)
        loader.close()


def rows(database: Database, table: type) -> list[tuple]:
    keys = table.__table__.primary_key.columns
    with database.read() as session:
        return [tuple(row) for row in session.execute(select(table.__table__).order_by(*keys))]


def a_event(number: int, at: dt.datetime) -> dict[str, object]:
    fields = dict.fromkeys(("device_id", "type", "ring", "zone", "content_hash"), "x")
    return fields | {
        "id": f"{number:032x}",
        "compound": COMPOUND,
        "record_id": f"“{number}”\t\\N\n守圈",
        "device_time": at,
        "corrected_time": at,
        "received_at": at,
        "late": number % 2,
        "marks": [],
        "body": {"text": "换行\n\\.", "score": 0.1},
        "resent": 0,
    }


def test_every_value_comes_through_either_way(either_database: Database, other: Database) -> None:
    settle_in(either_database)
    with either_database.write() as session:
        session.execute(insert(EventRow.__table__), [a_event(number, at) for number, at in enumerate(TIMES)])
        session.add(OutboxRow(message_id="m", subject="s", payload=bytes(range(256))))
        # The child comes before the guardian it points to.
        session.add(Person(id="z-guardian", compound=COMPOUND, turns_14_on=None))
        session.flush()
        session.add(
            Person(
                id="a-child",
                compound=COMPOUND,
                under_14=True,
                guardian="z-guardian",
                turns_14_on=dt.date(2030, 2, 28),
            )
        )
    counts = carry(either_database, other)
    for table in (EventRow, OutboxRow, Person):
        assert rows(other, table) == rows(either_database, table)
        assert counts[table.__tablename__] == len(rows(other, table)) > 0
    assert counts["face_templates"] == 0 == len(rows(other, FaceTemplate))


def test_more_rows_than_a_portion_come_through(either_database: Database, other: Database) -> None:
    with either_database.write() as session:
        session.execute(
            insert(PassageCount.__table__),
            [
                {"compound": "c", "day": "2026-11-23", "device_id": f"d-{n:05}", "type": "t", "count": n}
                for n in range(2501)
            ],
        )
    assert carry(either_database, other)["passage_counts"] == 2501
    assert rows(other, PassageCount) == rows(either_database, PassageCount)


def test_sealed_columns_are_not_opened(database: Database) -> None:
    settle_in(database)
    with database.write() as session:
        person = Person(id="p-1", compound=COMPOUND)
        person.name = "张三"
        session.add(person)
    with database.read() as session:
        session.connection()
        frames = list(dump.dump(session.connection(), METADATA))
    assert "张三" not in repr(frames)
    assert "红花苑" in repr(frames)


def test_column_of_a_kind_that_nobody_thought_of_is_refused(database: Database) -> None:
    unknown = MetaData()
    Table("events", unknown, Column("body", JSON))
    with database.read() as session, pytest.raises(TypeError, match=r"events\.body"):
        list(dump.dump(session.connection(), unknown))


@pytest.mark.parametrize(
    "frames",
    [
        [["rows", [[1]]]],
        [["table", "compounds", [["id", "text"]]], ["table", "compounds", [["id", "text"]]]],
        [["table", "compounds; DROP TABLE events", [["id", "text"]]]],
        ["nonsense"],
        [["picture", "x"]],
    ],
)
def test_frames_that_make_no_sense_are_refused(database: Database, frames: list) -> None:
    with pytest.raises(DamagedError):
        load(database, frames)


def test_rows_that_point_to_nothing_do_not_get_in(database: Database) -> None:
    columns = [["id", "text"], ["compound", "text"], ["under_14", "bool"]]
    with pytest.raises(RuntimeError, match="point to nothing"):
        load(database, [["table", "people", columns], ["rows", [["p-1", "nowhere", True]]]])
    assert rows(database, Person) == []


def test_dump_reads_one_state(either_database: Database) -> None:
    settle_in(either_database)
    seen = 0

    def write_meanwhile(*_: object) -> None:
        nonlocal seen
        seen += 1

    event.listen(either_database.engine, "commit", write_meanwhile)
    options = {} if either_database.is_sqlite else {"isolation_level": "REPEATABLE READ"}
    with either_database.read() as session:
        frames = dump.dump(session.connection(execution_options=options), METADATA)
        next(frames)
        next(frame for frame in frames if frame[:2] == ["table", "subdistricts"])
        with either_database.write() as writing:
            writing.add(Person(id="came-since", compound=COMPOUND))
        rest = list(frames)
    assert seen == 1
    assert "came-since" not in repr(rest)

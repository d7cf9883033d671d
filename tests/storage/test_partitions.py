"""Event tables in pieces of a week: where an event falls, what is made ahead, what an old table becomes."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from ingest.rows import event_id
from storage import Database, migrate, partitions
from storage.columns import EncodedJson
from storage.events import EVENT_COLUMNS, EventAmendment, EventRow, store
from storage.partitions import WEEK, bound, make_ahead, pieces, week_of
from tests.support import manners
from tests.support.postgres import Postgres
from tests.support.waiting import wait_until

BEFORE = "0022"


@pytest.fixture
def divided(postgres: Postgres, ring: Any) -> Iterator[Database]:
    with postgres.database() as database:
        yield database


@pytest.fixture
def whole(postgres: Postgres, ring: Any) -> Iterator[Database]:
    """As it was before there were pieces."""
    with postgres.empty() as url:
        database = Database(url)
        migrate.upgrade(database, BEFORE)
        yield database
        database.close()


def server_now(database: Database) -> dt.datetime:
    with database.read() as session:
        moment: dt.datetime = session.scalar(text("SELECT now()"))
        return moment.astimezone(dt.UTC)


def event(moment: dt.datetime | None, record: str = "r", *, revision: int | None = None) -> tuple[Any, ...]:
    at = moment or dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    values: dict[str, Any] = dict.fromkeys(EVENT_COLUMNS) | {
        "id": event_id("cam-1", record, moment),
        "compound": "c",
        "device_id": "cam-1",
        "record_id": record,
        "type": "face.captured",
        "ring": "entrance",
        "zone": "gate",
        "device_time": at,
        "corrected_time": at,
        "received_at": at,
        "late": 0,
        "marks": [],
        "body": EncodedJson("{}"),
        "content_hash": "0" * 32,
        "resent": 0,
        "revision": revision,
    }
    return tuple(values[name] for name in EVENT_COLUMNS)


def put(database: Database, *rows: tuple[Any, ...]) -> None:
    with database.write() as session:
        store(session, rows)


def amend(database: Database, row: tuple[Any, ...]) -> None:
    with database.write() as session:
        session.execute(
            insert(EventAmendment).values(
                event_id=row[0],
                revision=2,
                compound="c",
                type="face.captured",
                received_at=dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC),
                marks=[],
                body=EncodedJson("{}"),
                content_hash="1" * 32,
            )
        )


def place(database: Database, row: tuple[Any, ...], table: str = "events", key: str = "id") -> str | None:
    with database.read() as session:
        query = text(f"SELECT tableoid::regclass::text FROM {table} WHERE {key} = :id")
        return session.scalar(query, {"id": row[0]})


def test_event_falls_into_the_week_of_its_own_clock(divided: Database) -> None:
    now = server_now(divided)
    monday = week_of(now)
    rows = {
        f"events_w{monday:%Y%m%d}": event(monday),
        f"events_w{monday + WEEK:%Y%m%d}": event(monday + WEEK),
        "events_first": event(monday - dt.timedelta(milliseconds=1)),
        "events_rest": event(now + dt.timedelta(days=3650)),
    }
    put(divided, *rows.values())
    assert {name: place(divided, row) for name, row in rows.items()} == {name: name for name in rows}
    # A device without a clock, and one that woke up in 1970.
    for row in (event(None), event(dt.datetime(1970, 1, 1, 0, 3, tzinfo=dt.UTC), "woke")):
        put(divided, row)
        assert place(divided, row) == "events_first"


def test_same_event_meets_itself_whichever_piece_it_is_in(divided: Database) -> None:
    now = server_now(divided)
    for moment in (None, now, now - dt.timedelta(days=400), now + dt.timedelta(days=400)):
        put(divided, event(moment))
        with pytest.raises(IntegrityError):
            put(divided, event(moment))
    with divided.read() as session:
        assert session.scalar(text("SELECT count(*) FROM events")) == 4


def test_amendments_go_with_an_event_that_is_deleted(divided: Database) -> None:
    row = event(server_now(divided), revision=1)
    put(divided, row)
    amend(divided, row)
    assert (place(divided, row, "event_amendments", "event_id") or "").startswith("event_amendments_w")
    with divided.write() as session:
        session.delete(session.get_one(EventRow, row[0]))
    with divided.read() as session:
        assert session.scalars(select(EventAmendment.event_id)).all() == []


def test_pieces_are_made_ahead_and_once(divided: Database) -> None:
    now = server_now(divided)
    assert make_ahead(divided, now) == 0
    later = now + WEEK * 3
    assert make_ahead(divided, later) == 3
    assert make_ahead(divided, later) == 0
    with divided.read() as session:
        found = partitions.state(session, later)
    assert found is not None
    assert (found.ahead, found.rest) == (partitions.AHEAD, 0)


def test_keeper_that_was_away_for_months_begins_where_it_is_now(divided: Database) -> None:
    later = server_now(divided) + WEEK * 30
    between = event(later - WEEK * 10)
    put(divided, between)
    assert make_ahead(divided, later) == partitions.AHEAD + 1
    assert place(divided, between) == "events_rest"
    with divided.read() as session:
        assert partitions.state(session, later) == partitions.State(
            partitions.AHEAD, len(pieces(session.connection())), 1
        )


def test_what_came_too_early_moves_into_its_week_with_all_that_is_known_of_it(divided: Database) -> None:
    now = server_now(divided)
    early = event(now + WEEK * 8, "early", revision=1)
    put(divided, early)
    amend(divided, early)
    assert place(divided, early) == "events_rest"
    make_ahead(divided, now + WEEK * 4)
    week = f"{week_of(now + WEEK * 8):%Y%m%d}"
    assert place(divided, early) == f"events_w{week}"
    assert place(divided, early, "event_amendments", "event_id") == f"event_amendments_w{week}"


def test_piece_is_dropped_with_its_amendments_and_nothing_else(divided: Database) -> None:
    now = server_now(divided)
    going, staying = (
        event(week_of(now) + WEEK, "going", revision=1),
        event(week_of(now), "staying", revision=1),
    )
    put(divided, going, staying)
    amend(divided, going)
    amend(divided, staying)
    with divided.read() as session:
        (piece,) = [one for one in pieces(session.connection()) if one.start == week_of(now) + WEEK]
    with partitions.changing(divided) as connection:
        partitions.drop(connection, piece)
    with divided.read() as session:
        assert session.scalars(select(EventRow.id)).all() == [staying[0]]
        assert session.scalars(select(EventAmendment.event_id)).all() == [staying[0]]


def test_piece_that_somebody_is_in_waits_without_harm(divided: Database) -> None:
    later = server_now(divided) + WEEK
    with divided.engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        connection.exec_driver_sql("LOCK TABLE events_rest IN ROW EXCLUSIVE MODE")
        assert make_ahead(divided, later) == 0
    assert make_ahead(divided, later) == 1


def test_old_table_is_the_first_piece_as_it_was(whole: Database) -> None:
    now = server_now(whole)
    rows = [event(now - dt.timedelta(days=n), str(n), revision=1) for n in range(50)]
    ahead = event(now + dt.timedelta(days=3650), "ahead", revision=1)
    soon = event(now + dt.timedelta(days=24), "soon", revision=1)
    put(whole, *rows, ahead, soon)
    amend(whole, rows[3])
    amend(whole, ahead)
    with whole.read() as session:
        file = session.scalar(text("SELECT pg_relation_filenode('events')"))
    migrate.upgrade(whole)
    with whole.read() as session:
        # Not a row of it was copied.
        assert session.scalar(text("SELECT pg_relation_filenode('events_first')")) == file
        assert session.scalar(text("SELECT count(*) FROM events")) == 52
    assert {place(whole, row) for row in rows} == {"events_first"}
    assert place(whole, ahead) == "events_rest"
    assert place(whole, ahead, "event_amendments", "event_id") == "event_amendments_rest"
    assert (place(whole, soon) or "").startswith("events_w")


def test_large_table_is_proved_beforehand_while_others_write(
    whole: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "_LARGE_BYTES", 0)
    now = server_now(whole)
    working = Database(whole.url)
    put(whole, event(now + dt.timedelta(days=3650), "ahead"))

    def write(number: int) -> None:
        put(working, event(now, f"w{number}"))

    with manners.watching(whole) as seen, manners.writers(seen, write):
        wait_until(lambda: seen.written > 5, "the writers write")
        migrate.upgrade(whole)
        through = seen.written
        wait_until(lambda: seen.failed or seen.written > through + 5, "they write on")
    assert seen.failed == []
    assert seen.unbounded == []
    assert any("VALIDATE" in said for said, _, _ in seen.statements)
    with whole.read() as session:
        assert session.scalar(text("SELECT count(*) FROM events")) == 1 + seen.written
        left = "SELECT count(*) FROM pg_constraint WHERE conname LIKE '%\\_before'"
        assert session.scalar(text(left)) == 0
    working.close()


def test_division_that_was_broken_off_after_the_proof_goes_on(
    whole: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "_LARGE_BYTES", 0)
    ahead = event(server_now(whole) + dt.timedelta(days=3650), "ahead")
    put(whole, ahead)
    for _ in range(2):
        partitions.prepare(whole)
    # What clocks far ahead say is refused until it is done: it comes again.
    with pytest.raises(IntegrityError):
        put(whole, event(server_now(whole) + dt.timedelta(days=3650), "refused"))
    migrate.upgrade(whole)
    assert place(whole, ahead) == "events_rest"


def test_piece_is_made_while_others_write(divided: Database) -> None:
    now = server_now(divided)
    working, seen = Database(divided.url), manners.Manners()

    def write(number: int) -> None:
        row = event(now + dt.timedelta(days=number % 90), f"w{number}")
        try:
            put(working, row)
        except IntegrityError:
            # On its way into the rest while its week was made: as ingest does, it comes again.
            assert number % 90 > (partitions.AHEAD - 1) * 7
            put(working, row)

    with manners.writers(seen, write):
        for week in range(8):
            wait_until(lambda: seen.failed or seen.written > 3 * (week + 1), "the writers write")  # noqa: B023
            later = now + WEEK * (week + 1)
            wait_until(lambda: make_ahead(divided, later) or _reaches(divided, later), "pieces are made")  # noqa: B023
    assert seen.failed == []
    with divided.read() as session:
        assert session.scalar(text("SELECT count(*) FROM events")) == seen.written
    working.close()


def _reaches(database: Database, now: dt.datetime) -> bool:
    with database.read() as session:
        found = partitions.state(session, now)
        return found is not None and found.ahead >= partitions.AHEAD


@pytest.mark.parametrize(
    ("moment", "monday"),
    [
        (dt.datetime(2026, 11, 23, tzinfo=dt.UTC), dt.datetime(2026, 11, 23, tzinfo=dt.UTC)),
        (dt.datetime(2026, 11, 29, 23, 59, 59, tzinfo=dt.UTC), dt.datetime(2026, 11, 23, tzinfo=dt.UTC)),
        (dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime(1969, 12, 29, tzinfo=dt.UTC)),
    ],
)
def test_week_begins_on_monday(moment: dt.datetime, monday: dt.datetime) -> None:
    assert week_of(moment) == monday


def test_bound_stands_before_every_id_of_its_moment() -> None:
    moment = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)
    assert bound(moment) <= event_id("cam-1", "r", moment)
    assert event_id("cam-1", "r", moment - dt.timedelta(milliseconds=1)) < bound(moment)

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from bus.deadletters import DeadLetter
from ingest.metrics import IntakeMetrics
from ingest.push.turnedaway import TurnedAway
from storage import Database
from tests.support.clock import VirtualClock


@pytest.fixture
def turned_away(database: Database, clock: VirtualClock) -> TurnedAway:
    return TurnedAway(database, clock, IntakeMetrics(CollectorRegistry()))


def letters(database: Database) -> list[tuple[str, str | None, int, int]]:
    with database.read() as session:
        rows = session.scalars(select(DeadLetter).order_by(DeadLetter.received_at, DeadLetter.device_id))
        return [(row.reason, row.device_id, row.count, row.size) for row in rows]


def test_many_alike_are_one_a_day(database: Database, clock: VirtualClock, turned_away: TurnedAway) -> None:
    for _ in range(3):
        turned_away.note("push_auth_failed", "cam-1", "10.0.0.9")
    turned_away.write()
    turned_away.note("push_auth_failed", "cam-1", "10.0.0.9")
    turned_away.note("too_large", "cam-1", "10.0.0.9", size=2**40)
    turned_away.write()
    turned_away.write()
    assert sorted(letters(database)) == [
        ("push_auth_failed", "cam-1", 4, 0),
        ("too_large", "cam-1", 1, 2**31 - 1),
    ]
    clock.advance(86400)
    turned_away.note("push_auth_failed", "cam-1", "10.0.0.9")
    turned_away.write()
    assert letters(database)[-1] == ("push_auth_failed", "cam-1", 1, 0)


def test_what_the_database_does_not_take_is_written_later(
    database: Database, turned_away: TurnedAway, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned_away.note("push_auth_failed", "cam-1", "10.0.0.9")

    def away(*_: object) -> None:
        turned_away.note("push_auth_failed", "cam-1", "10.0.0.9")
        raise OperationalError("away", None, Exception())

    with monkeypatch.context() as patch:
        patch.setattr("bus.deadletters.record", away)
        with pytest.raises(OperationalError):
            turned_away.write()
    turned_away.write()
    assert letters(database) == [("push_auth_failed", "cam-1", 2, 0)]


def test_invented_names_fill_neither_memory_nor_database(database: Database, turned_away: TurnedAway) -> None:
    for number in range(2000):
        turned_away.note("push_auth_failed", f"invented-{number}", "10.0.0.9")
    turned_away.note("push_auth_failed", "not/a\0name", "10.0.0.9")
    turned_away.write()
    assert len(letters(database)) == 500
    turned_away.note("push_auth_failed", "not/a\0name", "10.0.0.9")
    turned_away.write()
    assert ("push_auth_failed", None, 1, 0) in letters(database)

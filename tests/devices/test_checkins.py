"""What rules hear of a visitor whom a guard let in."""

import datetime as dt

import pytest
from sqlalchemy import select

from bus.messages import EventStored, decode
from devices import checkins
from registry.errors import MissingError
from registry.models import PassDirection, PassKind, VisitorPass
from storage import Database
from storage.events import EventRow, OutboxRow
from tests.support.clock import NOON
from tests.support.compound import COMPOUND, settle_in


@pytest.fixture
def world(either_database: Database) -> Database:
    settle_in(either_database)
    hour = dt.timedelta(hours=1)
    with either_database.write() as session:
        session.add(
            VisitorPass(
                id="p-1",
                compound=COMPOUND,
                kind=PassKind.COURIER,
                zones=[],
                starts_at=NOON,
                ends_at=NOON + hour,
            )
        )
    return either_database


def noted(world: Database, *, lane: str = "gate-in", zone: str = "gate", use_id: str = "u-1") -> str:
    with world.write() as session:
        row = session.get_one(VisitorPass, "p-1")
        return checkins.note(session, row, zone, lane, NOON, use_id=use_id, direction=PassDirection.IN)


def test_check_in_is_stored_and_told_as_an_event_of_the_lane(world: Database) -> None:
    event_id = noted(world)
    with world.read() as session:
        row = session.scalars(select(EventRow)).one()
        (message,) = [decode(row.payload) for row in session.scalars(select(OutboxRow))]
        stored = (row.id, row.type, row.device_id, row.lane, row.ring, row.zone, row.direction, row.late)
    assert stored == (event_id, "visitor.checked_in", "cam-1", "gate-in", "entrance", "gate", "in", False)
    assert isinstance(message, EventStored)
    assert (message.id, message.at, message.attributes) == (event_id, NOON, {"visitor_pass": "p-1"})


def test_two_uses_of_one_moment_are_two_events(world: Database) -> None:
    assert len({noted(world, use_id=f"u-{number}") for number in range(3)}) == 3


@pytest.mark.parametrize(("zone", "lane"), [("gate", "b1-door"), ("b1", "gate-in"), ("gate", "no-lane")])
def test_lane_is_one_of_the_zones_own(world: Database, zone: str, lane: str) -> None:
    with pytest.raises(MissingError, match="lane"):
        noted(world, zone=zone, lane=lane)
    with world.read() as session:
        assert session.scalars(select(EventRow)).all() == []

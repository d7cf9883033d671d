"""One car that a camera tells of several times, each with a time of its own, is one event, amended."""

import json

import pytest
from sqlalchemy import select

from devices import presence
from devices.models import DeviceKind
from ingest.arrival import Arrival
from storage import Database, MediaStore
from storage.events import EventAmendment, EventRow
from tests.support.clock import NOON, VirtualClock
from tests.support.compound import device
from tests.support.gate import Gate, make_gate


class Lane:
    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        with gate.database.write() as session:
            session.add(device("lane", DeviceKind.PLATE_CAMERA, adapter="axis", external_id="B8A44F000001"))
            session.flush()
            presence.ensure_rows(session, gate.clock.now())

    def message(self, state: str, plate: str, car: str, at_s: float) -> Arrival:
        body = {
            "packetCounter": "1", "capture_timestamp": str(int((NOON.timestamp() + at_s) * 1000)),
            "plateText": plate, "plateConfidence": "0.9", "carID": car, "carState": state,
            "sensorProviderID": "B8A44F000001",
        }  # fmt: skip
        return Arrival(
            "/lpv", json.dumps(body).encode(), self.gate.clock.now(), signed_in="lane",
            content_type="application/json",
        )  # fmt: skip

    def tells(self, *messages: Arrival) -> None:
        self.gate.intake.process(list(messages))

    def events(self) -> list[EventRow]:
        with self.gate.database.read() as session:
            rows = list(session.scalars(select(EventRow).where(EventRow.type == "plate.recognised")))
            session.expunge_all()
        return rows

    def amendments(self) -> list[str]:
        with self.gate.database.read() as session:
            rows = session.scalars(select(EventAmendment).order_by(EventAmendment.revision))
            return [row.body["plate"]["text"] for row in rows]


@pytest.fixture
def lane(either_database: Database, media: MediaStore, clock: VirtualClock) -> Lane:
    return Lane(make_gate(either_database, media, clock))


def passage(lane: Lane) -> list[Arrival]:
    return [
        lane.message("new", "云M1234O", "123", 0.0),
        lane.message("update", "云M12340", "123", 0.3),
        lane.message("lost", "云M12340", "123", 6.0),
    ]


def test_plate_that_changes_within_one_passage_amends_it(lane: Lane) -> None:
    for message in passage(lane):
        lane.tells(message)
    (event,) = lane.events()
    assert (event.device_time, event.body["plate"]["text"]) == (NOON, "云M1234O")
    assert lane.amendments()[0] == "云M12340"


def test_passage_in_one_batch_is_one_event_too(lane: Lane) -> None:
    lane.tells(*passage(lane))
    assert len(lane.events()) == 1
    assert lane.amendments()[0] == "云M12340"


def test_another_car_under_the_same_number_is_another_event(lane: Lane) -> None:
    lane.tells(lane.message("new", "云M12345", "123", 0.0))
    lane.tells(lane.message("new", "云M54321", "123", 600.0))
    assert {event.body["plate"]["text"] for event in lane.events()} == {"云M12345", "云M54321"}


def test_passage_that_is_sent_again_changes_nothing(lane: Lane) -> None:
    lane.tells(*passage(lane))
    before = lane.amendments()
    for message in passage(lane):
        lane.tells(message)
    assert (len(lane.events()), lane.amendments()) == (1, before)

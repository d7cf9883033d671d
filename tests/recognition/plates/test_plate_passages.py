"""Plates at a gate, event after event: what the worker makes of a track."""

import pytest

from registry.models import Vehicle
from tests.support.passages import Street


@pytest.fixture
def gate(database, media, ring, clock):
    street = Street(database, media, ring, clock)
    with database.write() as session:
        session.add(Vehicle(id="v1", compound="honghua", plate="云M12345"))
    return street


def passes(gate, text, **more):
    """A camera's own reading, without a picture; what is unclear on a track is told a moment later."""
    told = gate.sees(None, kind="plate.recognised", pictures=(), plate={"text": text}, **more)
    (sighting,) = told or gate.waits(gate.policy.settle.total_seconds())
    return sighting


def test_misreading_on_the_track_of_a_vehicle_that_was_read_twice_is_that_vehicle(gate):
    assert passes(gate, "云M12345", track="t1").outcome == "identified"
    assert passes(gate, "云M12345", track="t1").outcome == "identified"
    sighting = passes(gate, "云M1234?", track="t1")
    assert (sighting.outcome, sighting.plate, sighting.vehicle_id) == ("identified", "云M12345", "v1")


def test_misreading_on_another_track_or_much_later_stays_one(gate):
    passes(gate, "云M12345", track="t1")
    passes(gate, "云M12345", track="t1")
    assert passes(gate, "云M1234?", track="t2").reasons == ("near_match", "malformed")
    gate.clock.advance(gate.policy.track_gap.total_seconds() + 1)
    assert passes(gate, "云M1234?", track="t1").reasons == ("near_match", "malformed")


def test_vehicle_behind_a_resident_is_not_taken_for_it(gate):
    passes(gate, "云M12345")
    sighting = passes(gate, "云M99999")
    assert (sighting.outcome, sighting.plate, sighting.vehicle_id) == ("unknown", "云M99999", None)


def test_near_plate_opens_nothing(gate):
    sighting = passes(gate, "云M1234S")
    assert (sighting.outcome, sighting.vehicle_id) == ("uncertain", None)
    assert sighting.reasons == ("near_match",)
    assert gate.decisions()[0].candidates == [{"plate": "云M12345", "cost": 0.4}]

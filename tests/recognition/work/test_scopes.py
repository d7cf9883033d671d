"""Which galleries a face is compared with, and how strictly: the smallest lawful one first."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from recognition.calibration import Calibration
from recognition.calibration.calibration import shipped
from recognition.work.scopes import MAX_AGE
from registry.models import Residence, WatchlistEntry
from tests.support.passages import STRANGER, Street

TODAY = dt.date(2026, 11, 23)


@pytest.fixture
def street(database, media, ring, clock):
    made = Street(database, media, ring, clock)
    made.lives("ann", 500)
    made.lives("ben", 1500, "d2")
    made.lives("cat", 2500, "d2")
    return made


def galleries(street):
    row = street.decisions()[-1]
    return [(scope["gallery"], scope["people"]) for scope in row.thresholds["scopes"]]


def test_door_of_a_building_asks_its_residents_before_the_compound(street):
    (sighting,) = street.sees(510, "hall-1")
    row = street.decisions()[-1]
    assert (sighting.person_id, row.gallery, row.gallery_size) == ("ann", "building:b1", 1)
    assert galleries(street) == [("building:b1", 1), ("compound:honghua", 3)]
    street.clock.advance(10)
    (sighting,) = street.sees(1510, "hall-1")
    row = street.decisions()[-1]
    assert (sighting.person_id, row.gallery, row.gallery_size) == ("ben", "compound:honghua", 3)


def test_gate_asks_the_compound(street):
    street.sees(510)
    assert galleries(street) == [("compound:honghua", 3)]


def test_false_names_that_are_allowed_are_shared_by_the_galleries(street):
    street.sees(510)
    street.clock.advance(10)
    street.sees(510, "hall-1")
    gate, door = [row.thresholds for row in street.decisions()]
    assert gate["fpir"] == street.policy.gate_fpir
    assert door["fpir"] == street.policy.door_fpir / 2
    assert door["identify"] == pytest.approx(0.40 - 0.01 * 1.301, abs=1e-4)
    assert (gate["calibration"], gate["shift"]) == ("fake/1", 0.0)
    assert {"identify", "unknown", "margin"} <= gate.keys()


def test_cameras_own_rate_and_the_distance_that_somebody_has_moved_count(street):
    street.view("gate-1", fpir=1e-2, threshold_shift=-0.05)
    street.sees(510)
    thresholds = street.decisions()[-1].thresholds
    assert (thresholds["fpir"], thresholds["shift"]) == (1e-2, -0.05)
    assert thresholds["identify"] == pytest.approx(0.40 + 0.01 - 0.01 * 0.477 - 0.05, abs=1e-4)


def test_whoever_has_moved_is_looked_for_in_the_new_building(street):
    street.sees(STRANGER, "hall-2")
    assert galleries(street)[0] == ("building:b2", 2)
    with street.database.write() as session:
        session.execute(
            update(Residence).where(Residence.person == "cat").values(until=TODAY - dt.timedelta(days=1))
        )
    street.clock.advance(MAX_AGE.total_seconds())
    street.sees(STRANGER, "hall-2")
    assert galleries(street)[0] == ("building:b2", 1)


def test_watch_list_is_a_gallery_where_it_is_in_force_and_in_the_rings_it_names(street):
    street.wanted("cat", ["entrance"])
    street.sees(STRANGER)
    assert galleries(street) == [("compound:honghua", 3), ("watchlist:honghua", 1)]
    street.clock.advance(10)
    street.sees(STRANGER, "hall-1")
    assert [name for name, _ in galleries(street)] == ["building:b1", "compound:honghua"]
    with street.database.write() as session:
        session.execute(update(WatchlistEntry).values(lifted_at=street.clock.now()))
    street.clock.advance(10)
    street.sees(STRANGER)
    assert galleries(street) == [("compound:honghua", 3)]


def test_order_that_has_ended_since_looks_for_nobody_in_a_late_record(street):
    street.wanted("cat", ["entrance"], days=0.001)
    street.clock.advance(600)
    street.sees(STRANGER, ago=550, late=True)
    assert galleries(street) == [("compound:honghua", 3)]


def test_watch_list_adds_a_name_that_the_compound_does_not_give(street):
    street.wanted("ann", ["entrance"])
    # Between the compound's distance and that of the one person who is looked for.
    (sighting,) = street.sees(500 + 396)
    assert (sighting.outcome, sighting.person_id) == ("identified", "ann")
    assert sighting.reasons == ("within_threshold", "watchlist_gallery")
    assert sighting.valid_until is None
    assert street.decisions()[-1].gallery == "watchlist:honghua"


def test_confused_people_are_strangers_to_a_building_in_which_only_one_lives(street):
    street.confused("ben", "ann")
    (sighting,) = street.sees(500 + 380, "hall-1")
    assert (sighting.outcome, sighting.reasons) == ("uncertain", ("excluded_stranger",))
    street.clock.advance(10)
    (sighting,) = street.sees(500 + 370, "hall-1")
    assert (sighting.outcome, sighting.person_id) == ("identified", "ann")


def test_somebody_without_a_face_here_is_a_stranger_to_whom_they_were_taken_for(street):
    street.lives("dan", None)
    street.confused("ann", "dan")
    (sighting,) = street.sees(500 + 393)
    assert (sighting.outcome, sighting.reasons) == ("uncertain", ("excluded_stranger",))


def test_only_people_who_are_near_are_written_down(street):
    street.sees(510)
    street.clock.advance(10)
    street.sees(STRANGER)
    near, far = street.decisions()
    assert [one["person_id"] for one in near.candidates] == ["ann"]
    assert (far.candidates, far.outcome) == ([], "unknown")


@given(
    st.integers(1, 20_000),
    st.integers(1, 20_000),
    st.floats(1e-6, 0.1),
    st.integers(1, 5),
    st.sampled_from([1.0, 2.0, 3.0]),
)
def test_stranger_is_never_more_easily_named_in_a_larger_gallery(one, other, fpir, frames, photos):
    calibration = Calibration(shipped())
    small, large = sorted((one, other))
    few = calibration.thresholds(small, fpir, frames=frames, photos=photos)
    many = calibration.thresholds(large, fpir, frames=frames, photos=photos)
    assert many.identify <= few.identify
    # And whoever was taken for a stranger before is named from nearer only.
    assert calibration.thresholds(large, fpir / 10, frames=frames, photos=photos).identify <= many.identify

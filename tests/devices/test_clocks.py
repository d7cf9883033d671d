import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from devices import clocks, presence
from devices.clocks import Clocks, drift, hours_off
from storage import Database
from storage.events import EventRow
from tests.support.clock import NOON
from tests.support.compound import facts, settle_in, status_of

S = dt.timedelta(seconds=1)
HOUR = dt.timedelta(hours=1)


def test_nothing_is_known_before_a_heartbeat() -> None:
    assert drift([]) is None


@given(
    st.timedeltas(-HOUR, HOUR),
    st.lists(st.timedeltas(0 * S, S / 2), min_size=4, max_size=4),
    st.timedeltas(0 * S, 100 * HOUR),
    st.integers(0, 4),
)
def test_one_heartbeat_that_was_held_up_moves_nothing(error, ways, delay, place) -> None:
    samples = [error - way for way in ways]
    samples.insert(place, error - delay)
    assert abs(drift(samples) - error) <= S / 2


def test_of_two_heartbeats_the_one_that_was_quicker_is_believed() -> None:
    assert drift([-40 * S, -S]) == drift([-S, -40 * S]) == -S


@pytest.mark.parametrize(
    ("offset", "hours"),
    [(8 * HOUR, 8), (-8 * HOUR - 5 * S, -8), (-8 * HOUR - 6 * S, None), (0 * S, None), (15 * HOUR, None)],
)
def test_whole_hours_are_a_wrong_zone(offset: dt.timedelta, hours: int | None) -> None:
    assert hours_off(offset) == hours


@pytest.fixture
def street(either_database: Database) -> Database:
    settle_in(either_database)
    with either_database.write() as session:
        presence.ensure_rows(session, NOON)
    return either_database


def said(database: Database) -> list[dict]:
    with database.read() as session:
        rows = session.scalars(
            select(EventRow).where(EventRow.type == "device.time_skew").order_by(EventRow.received_at)
        )
        return [row.body["attributes"] for row in rows]


def note(database: Database, offset: dt.timedelta, at: dt.datetime, *, sure: bool = True) -> bool:
    with database.write() as session:
        return clocks.note(session, facts(database, "cam-1"), offset, at, sure=sure)


def test_wrong_clock_is_said_once_and_once_more_when_it_is_right(street: Database) -> None:
    offsets = [2 * S, 6 * S, 7 * S, 4.5 * S, 6 * S, 3 * S, -S]
    moved = [note(street, offset, NOON + number * S) for number, offset in enumerate(offsets)]
    assert moved == [False, True, False, False, False, True, False]
    assert said(street) == [
        {"cause": "clock_off", "offset_ms": 6000},
        {"cause": "clock_right", "offset_ms": 3000},
    ]
    assert (status_of(street, "cam-1").clock_off, status_of(street, "cam-1").clock_offset_ms) == (
        False,
        -1000,
    )


def test_first_heartbeats_say_nothing_yet(street: Database) -> None:
    assert not note(street, HOUR, NOON, sure=False)
    assert (status_of(street, "cam-1").clock_offset_ms, said(street)) == (3_600_000, [])


def test_wrong_zone_is_named(street: Database) -> None:
    assert note(street, -8 * HOUR - S, NOON)
    assert said(street) == [{"cause": "clock_off", "offset_ms": -28_801_000, "hours_off": -8}]


def test_clock_is_millisecond_exact_and_no_other_device_is_touched(street: Database) -> None:
    note(street, -3 * S - dt.timedelta(microseconds=400), NOON)
    assert status_of(street, "cam-1").clock_offset_ms == -3000
    assert status_of(street, "cam-2").clock_offset_ms is None


def test_drift_survives_a_restart(street: Database) -> None:
    before = Clocks(street)
    for offset in (HOUR, HOUR - S, HOUR):
        measured, sure = before.observe("cam-1", offset)
    assert (measured, sure) == (HOUR, True)
    note(street, measured, NOON)
    after = Clocks(street)
    assert (after.known("cam-1"), after.known("cam-2")) == (HOUR, None)
    # And the first heartbeat afterwards may be held up like any other.
    assert after.observe("cam-1", HOUR - 50 * S)[0] == HOUR

"""The past is read back as rules saw it: in both orders, with what became known later, in bounded pieces."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from alerts.knowing import observe
from bus.messages import CredentialUse, EventStored
from devices.models import Device, DeviceKind, Stage
from recognition.models import DecisionRow
from registry.models import Compound, Ring, VisitorPass, Zone
from ringward.replay import came_in, happened, nights
from storage import Database, KeyRing, migrate
from storage.events import EventAmendment, EventRow

START = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
END = START + dt.timedelta(hours=6)
COMPOUND = "willow"


@pytest.fixture
def database(tmp_path: Path, ring: KeyRing) -> Iterator[Database]:
    database = Database.at(tmp_path / "ringward.db")
    migrate.upgrade(database)
    with database.write() as session:
        session.add(Compound(id=COMPOUND, name="柳荫小区", time_zone="Asia/Shanghai"))
        session.flush()
        session.add(
            Zone(id="gate", compound=COMPOUND, name="g", ring=Ring.ENTRANCE, kind="gate", outline=[[0, 0]])
        )
        session.flush()
        session.add(
            Device(
                id="cam",
                compound=COMPOUND,
                zone="gate",
                kind=DeviceKind.FACE_CAMERA,
                name="c",
                secret_hash="",
                stage=Stage.APPROVED,
            )
        )
    yield database
    database.close()


def put(
    database: Database, name: str, minutes: float, *, delay: float = 0.1, kind: str = "door.opened", **more
):
    """An event that happened and came in `delay` seconds later; `more` are its columns."""
    at = START + dt.timedelta(minutes=minutes)
    columns = {
        "id": name,
        "compound": COMPOUND,
        "device_id": "cam",
        "record_id": name,
        "type": kind,
        "ring": "entrance",
        "zone": "gate",
        "lane": "lane-1",
        "direction": "in",
        "device_time": at,
        "corrected_time": at,
        "received_at": at + dt.timedelta(seconds=delay),
        "late": False,
        "marks": [],
        "body": {},
        "content_hash": "",
    } | more
    with database.write() as session:
        session.add(EventRow(**columns))
    return at


def decide(database: Database, name: str, event: str, minutes: float, **more) -> None:
    at = START + dt.timedelta(minutes=minutes)
    columns = {
        "sighting_id": name,
        "event_id": event,
        "compound": COMPOUND,
        "subject_kind": "face",
        "outcome": "unknown",
        "candidates": [],
        "reasons": [],
        "evidence": {},
        "milliseconds": 1,
        "at": at,
        "decided_at": at,
        "score": 0.7,
    } | more
    with database.write() as session:
        session.add(DecisionRow(**columns))


def ids(found) -> list[str]:
    return [one.id for one in found]


def test_both_orders_are_kept(database: Database) -> None:
    put(database, "a", 0, delay=4)
    put(database, "b", 0.05)
    put(database, "c", 59.99, delay=3)
    put(database, "d", 60.01)
    put(database, "late", 30, delay=2 * 3600, late=True)
    put(database, "e", 200)
    assert ids(happened(database, COMPOUND, START, END)) == ["a", "b", "late", "c", "d", "e"]
    assert ids(came_in(database, COMPOUND, START, END)) == ["b", "a", "d", "c", "late", "e"]


def test_window_is_half_open_and_another_compounds_past_is_not_in_it(database: Database) -> None:
    put(database, "before", -1)
    put(database, "first", 0, delay=0)
    put(database, "end", 360, delay=0)
    put(database, "other", 1, compound="elsewhere")
    assert ids(happened(database, COMPOUND, START, END)) == ["first"]
    assert ids(came_in(database, COMPOUND, START, END)) == ["first"]


def test_what_came_in_after_the_end_is_not_known_yet_and_late_records_come_when_they_came(
    database: Database,
) -> None:
    put(database, "outage", -600, delay=700 * 60, late=True)
    put(database, "unknown yet", 100, delay=6 * 3600, late=True)
    put(database, "now", 5)
    found = list(came_in(database, COMPOUND, START, END))
    assert ids(found) == ["now", "outage"]
    assert found[1].late


def test_sightings_are_beside_their_events_and_only_those_that_were_told(database: Database) -> None:
    put(database, "e1", 0, kind="face.captured")
    decide(database, "s1", "e1", 0, person_id=None)
    put(database, "e2", 1, kind="face.captured")
    decide(database, "s2", "e2", 1, leader="s1")
    put(database, "e3", 2, kind="face.captured")
    decide(database, "s3", "e3", 2, settles_at=START)
    found = list(came_in(database, COMPOUND, START, END))
    assert ids(found) == ["s1"]
    assert (found[0].type, found[0].event_id, found[0].score) == ("face.unknown", "e1", 0.7)
    assert (found[0].lane, found[0].direction, found[0].zone) == ("lane-1", "in", "gate")


def test_amendment_comes_when_it_came_in_a_rehearsal_and_has_always_been_known_in_a_restore(
    database: Database,
) -> None:
    at = put(database, "car", 0, kind="vehicle.stranded", revision=1, body={"attributes": {"dwell_s": 10}})
    with database.write() as session:
        session.add(
            EventAmendment(
                event_id="car",
                revision=2,
                compound=COMPOUND,
                type="vehicle.turned_back",
                received_at=at + dt.timedelta(seconds=8),
                marks=[],
                body={"attributes": {"dwell_s": 90}},
                content_hash="",
            )
        )
    put(database, "between", 0.1)
    told = list(came_in(database, COMPOUND, START, END))
    assert [(one.id, one.type, one.amends) for one in told] == [
        ("car", "vehicle.stranded", False),
        ("between", "door.opened", False),
        ("car", "vehicle.turned_back", True),
    ]
    assert [one.number("dwell_s") for one in told] == [10, None, 90]
    (stands, _) = happened(database, COMPOUND, START, END)
    assert (stands.type, stands.number("dwell_s"), stands.amends) == ("vehicle.turned_back", 90, False)
    # As live as it was when it came first.
    assert stands.received_at == told[0].received_at


def test_what_is_read_is_what_was_told(database: Database) -> None:
    at = put(
        database,
        "a",
        0,
        kind="access.granted",
        body={"credential": {"kind": "card", "ref": "4711"}, "attributes": {"cause": "schedule", "n": 3}},
    )
    message = EventStored(
        id="a",
        compound=COMPOUND,
        device_id="cam",
        type="access.granted",
        ring="entrance",
        zone="gate",
        device_time=at,
        at=at,
        received_at=at + dt.timedelta(seconds=0.1),
        lane="lane-1",
        direction="in",
        credential=CredentialUse("card", "4711"),
        attributes={"cause": "schedule", "n": 3},
    )
    with database.read() as session:
        live = observe(session, COMPOUND, [message])
    assert (
        list(came_in(database, COMPOUND, START, END))
        == live
        == list(happened(database, COMPOUND, START, END))
    )


def test_nights_before_are_known_by_who_was_in_which_building(database: Database) -> None:
    # 10:00 in Shanghai on the 23rd; minutes from there to 23:30 and to 04:59 of the nights before.
    shown = {"credential": {"kind": "pass", "ref": "v-1"}}
    with database.write() as session:
        session.add(VisitorPass(id="v-1", compound=COMPOUND, kind="visitor", zones=["gate"],
                                starts_at=START - dt.timedelta(days=9), ends_at=END))  # fmt: skip
    for name, minutes, ring in (
        ("late evening", -630 - 1440, "building"),
        ("small hours", -301 - 1440, "building"),
        ("by day", -60 - 1440, "building"),
        ("at the gate", -630 - 2880, "entrance"),
        ("two before", -301 - 2880, "building"),
    ):
        put(database, name, minutes, kind="access.granted", ring=ring, body=shown)
    zone = ZoneInfo("Asia/Shanghai")
    assert nights(database, COMPOUND, START, zone) == [
        ("pass:v-1", "gate", dt.date(2026, 11, 20)),
        ("pass:v-1", "gate", dt.date(2026, 11, 21)),
    ]


def test_reading_is_by_the_hour_and_says_how_far_it_is(database: Database) -> None:
    for hour in range(6):
        put(database, f"e{hour}", 60 * hour + 1)
    told: list[tuple[dt.datetime, int]] = []
    found = came_in(database, COMPOUND, START, END, lambda moment, count: told.append((moment, count)))
    next(found)
    # The rest of the past has not been read for the first of it.
    assert len(told) <= 2
    assert len(list(found)) == 5
    assert told[-1] == (END, 6)
    assert [moment for moment, _ in told] == sorted({moment for moment, _ in told})

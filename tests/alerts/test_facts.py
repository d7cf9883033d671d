"""What rules may know of an event or a sighting."""

import datetime as dt

import pytest
from timeline import (
    COMPOUND,
    START,
    World,
    card,
    door_opened,
    event,
    face_of,
    face_uncertain,
    face_unknown,
    offline,
    plate_of,
    plate_uncertain,
    plate_unknown,
    sighting,
)

from alerts import facts
from alerts.rules import Observation, WatchHit
from devices.models import Device, DeviceKind, DeviceStatus, Stage
from registry import lookups
from registry.models import (
    Compound,
    Credential,
    LegalBasis,
    Person,
    Ring,
    WatchlistEntry,
    WatchlistSubject,
)
from storage import Database

RECEIVED = START + dt.timedelta(seconds=2)


def of_event(database: Database, report, *, late: bool = False) -> Observation | None:
    with database.read() as session:
        return facts.of_event(session, report(START, RECEIVED, late))


def of_sighting(database: Database, report, *, late: bool = False) -> Observation | None:
    with database.read() as session:
        return facts.of_sighting(session, report(START, RECEIVED, late))


def test_event_is_seen_as_it_was_stored(database: Database) -> None:
    message = door_opened("hall", cause="exit_button")(START, RECEIVED, True)
    with database.read() as session:
        seen = facts.of_event(session, message)
    assert seen == Observation(
        id=message.id,
        event_id=message.id,
        type="door.opened",
        at=START,
        received_at=RECEIVED,
        device="hall-door",
        zone="hall",
        ring="building",
        lane="hall",
        late=True,
        cause="exit_button",
    )


def test_cause_that_is_no_text_is_none(database: Database) -> None:
    assert of_event(database, event("door.opened", "hall", cause=7)).cause is None
    assert of_event(database, card("hall")).cause is None


@pytest.mark.parametrize(
    "kind",
    [
        *("face.captured", "face.identified", "face.unknown", "face.uncertain"),
        *("plate.recognised", "plate.none"),
    ],
)
def test_picture_waits_for_recognition(database: Database, kind: str) -> None:
    assert of_event(database, event(kind, "gate")) is None


@pytest.mark.parametrize(
    ("report", "kind"),
    [
        (face_of("p-1"), "face.identified"),
        (sighting("face", "household", "gate", "in", household_id="h-1"), "face.identified"),
        (face_unknown(), "face.unknown"),
        (face_uncertain(), "face.uncertain"),
        (plate_of("car-1", "云M11111"), "plate.recognised"),
        (plate_unknown("云M11111"), "plate.recognised"),
        (plate_uncertain("云M11111"), "plate.uncertain"),
        (sighting("plate", "no_plate", "drive", "in"), "plate.none"),
    ],
)
def test_every_outcome_has_its_word(database: Database, report, kind: str) -> None:
    assert of_sighting(database, report).type == kind


@pytest.mark.parametrize("outcome", ["no_face", "no_usable_face", "no_usable_picture", "unprocessed"])
def test_nothing_recognised_is_nothing_seen(database: Database, outcome: str) -> None:
    assert of_sighting(database, sighting("face", outcome, "gate", "in")) is None


def test_sighting_keeps_its_event_and_its_score(database: Database) -> None:
    message = face_of("p-1")(START, RECEIVED, False)
    with database.read() as session:
        seen = facts.of_sighting(session, message)
    assert (seen.id, seen.sighting_id, seen.event_id) == (message.id, message.id, message.event_id)
    assert (seen.person_id, seen.score, seen.lane, seen.direction) == ("p-1", 0.31, "gate", "in")
    assert (seen.at, seen.received_at, seen.late) == (START, RECEIVED, False)


@pytest.mark.parametrize(
    ("plate", "welcome"),
    [("云M1234警", True), ("云M1234应急", True), ("WJ云1234X", True), ("KA12345", True), ("云M12345", False)],
)
def test_who_comes_to_help_is_welcome(database: Database, plate: str, *, welcome: bool) -> None:
    assert of_sighting(database, plate_unknown(plate)).plate_welcome is welcome


def test_uncertain_reading_makes_nobody_welcome(database: Database) -> None:
    assert not of_sighting(database, plate_uncertain("云M1234警")).plate_welcome


def entry(name: str, subject: str, kind: WatchlistSubject, rings: list[Ring], compound: str = COMPOUND):
    return WatchlistEntry(
        id=name,
        compound=compound,
        subject_kind=kind,
        subject=subject,
        legal_basis=LegalBasis.COURT_ORDER,
        document_no="〔2026〕民执9号",
        applicant="officer-1",
        approver="officer-2",
        reason="seizure",
        rings=rings,
        starts_at=START,
        ends_at=START + dt.timedelta(days=1),
    )


def test_all_entries_of_a_subject_are_joined_with_their_rings(world: World, database: Database) -> None:
    world.add(Compound(id="poplar", name="白杨小区", time_zone="Asia/Shanghai"))
    world.add(
        entry("a", "p-1", WatchlistSubject.PERSON, [Ring.ENTRANCE]),
        entry("b", "p-1", WatchlistSubject.PERSON, [Ring.COMMON, Ring.BUILDING]),
        entry("c", "p-2", WatchlistSubject.PERSON, [Ring.ENTRANCE]),
        entry("d", "p-1", WatchlistSubject.PERSON, [Ring.ENTRANCE], compound="poplar"),
    )
    hits = of_sighting(database, face_of("p-1")).watch
    assert set(hits) == {
        WatchHit("a", frozenset({"entrance"})),
        WatchHit("b", frozenset({"common", "building"})),
    }


def test_plate_is_looked_up_as_a_plate(world: World, database: Database) -> None:
    world.add(entry("a", "云M11111", WatchlistSubject.PLATE, [Ring.ENTRANCE]))
    assert [hit.entry_id for hit in of_sighting(database, plate_unknown("云M11111")).watch] == ["a"]
    assert of_sighting(database, plate_unknown("云M11112")).watch == ()
    assert of_sighting(database, plate_uncertain("云M11111")).watch == ()


def test_urgency_of_an_entry_is_joined_too(world: World, database: Database) -> None:
    urgent = entry("a", "p-1", WatchlistSubject.PERSON, [Ring.ENTRANCE])
    urgent.priority = 1
    world.add(urgent)
    assert of_sighting(database, face_of("p-1")).watch == (WatchHit("a", frozenset({"entrance"}), 1),)


def test_card_at_a_reader_is_known_by_its_hash(world: World, database: Database) -> None:
    world.add(Person(id="p-1", compound=COMPOUND, name="甲"))
    row = Credential(id="c-1", compound=COMPOUND, person="p-1", kind="card", status="active")
    row.ref_key = lookups.credential_key(COMPOUND, "card", "4711")
    world.add(row)
    assert of_event(database, card("hall", "4711")).credential_id == "c-1"
    assert of_event(database, card("hall", "4711")).watch == ()
    assert of_event(database, card("hall", "4712")).credential_id is None
    world.add(entry("a", "c-1", WatchlistSubject.CREDENTIAL, [Ring.BUILDING]))
    assert [hit.entry_id for hit in of_event(database, card("hall", "4711")).watch] == ["a"]


def test_share_of_a_ring_counts_its_enabled_devices_with_a_status(world: World, database: Database) -> None:
    world.devices("common", online=3, offline=1)
    world.devices("building", online=0, offline=3, lane="hall")
    off = Device(
        id="in-store",
        compound=COMPOUND,
        zone="square",
        kind=DeviceKind.SENSOR,
        name="in store",
        secret_hash="",
        stage=Stage.APPROVED,
        enabled=False,
    )
    world.add(off, DeviceStatus(device_id="in-store", online=False, since=START, last_seen=START))
    assert of_event(database, offline("common-3", "square")).ring_offline == 0.25
    assert of_event(database, offline("building-0", "hall")).ring_offline == 1.0


def test_share_of_a_ring_without_devices_is_nothing(database: Database) -> None:
    assert of_event(database, offline()).ring_offline == 0.0
    assert of_event(database, card()).ring_offline == 0.0

"""What rules may know of an event or a sighting: joined in bulk, and as it was at the time."""

import datetime as dt
import random

import msgspec
import pytest
from sqlalchemy import event as sql_event
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

from alerts.knowing import Register, observe
from alerts.rules import CredentialFacts, DwellingFacts, Observation, WatchHit
from bus.messages import CredentialUse, DeviceMatch, EventStored, PlateReading
from devices.models import Device, DeviceKind, DeviceStatus, Stage
from registry import lookups
from registry.models import (
    AuthorisedDriver,
    Building,
    Compound,
    Consent,
    ConsentPurpose,
    Credential,
    Dwelling,
    Household,
    LegalBasis,
    Organisation,
    PassState,
    Person,
    Premises,
    Residence,
    ResidenceKind,
    Ring,
    StaffLink,
    Unit,
    Vehicle,
    VisitorPass,
    WatchlistEntry,
    WatchlistSubject,
    Zone,
)
from registry.passes.models import PassUse
from registry.passes.visiting import new_token, token_hash
from storage import Database, new_id

RECEIVED = START + dt.timedelta(seconds=2)
TODAY = dt.date(2026, 11, 23)
DAY = dt.timedelta(days=1)


def see(
    database: Database, *reports, at: dt.datetime = START, received: dt.datetime | None = None, late=False
):
    """What is seen of reports made at a moment."""
    received = received or at + dt.timedelta(seconds=2)
    with database.read() as session:
        return observe(session, COMPOUND, [report(at, received, late) for report in reports])


def one(database: Database, report, **how) -> Observation:
    (only,) = see(database, report, **how)
    return only


# ── what is told ──────────────────────────────────────────────────────────────


def test_event_is_seen_as_it_was_stored(database: Database) -> None:
    message = door_opened("hall", cause="exit_button")(START, RECEIVED, True)
    with database.read() as session:
        seen = observe(session, COMPOUND, [message])
    assert seen == [
        Observation(
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
            device_time=START,
        )
    ]


def test_cause_that_is_no_text_is_none(database: Database) -> None:
    assert one(database, event("door.opened", "hall", cause=7)).cause is None
    assert one(database, card("hall")).cause is None


def test_words_and_numbers_of_an_event_are_kept_and_nothing_else(database: Database) -> None:
    def report(moment, received, late):
        words = {
            "dwell_s": 190,
            "armed": True,
            "class": "person",
            "cause": "x",
            "raw": {"a": 1},
            "long": "x" * 201,
        }
        return msgspec.structs.replace(
            event("video.loitering", "square")(moment, received, late), attributes=words
        )

    seen = one(database, report)
    assert dict(seen.attributes) == {"dwell_s": 190, "armed": True, "class": "person"}
    assert seen.number("dwell_s") == 190


@pytest.mark.parametrize(
    "kind",
    ["face.captured", "face.identified", "face.unknown", "face.uncertain", "plate.recognised", "plate.none"],
)
def test_picture_waits_for_recognition(database: Database, kind: str) -> None:
    assert see(database, event(kind, "gate")) == []


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
    assert one(database, report).type == kind


@pytest.mark.parametrize("outcome", ["no_face", "no_usable_face", "no_usable_picture", "unprocessed"])
def test_nothing_recognised_is_nothing_seen(database: Database, outcome: str) -> None:
    assert see(database, sighting("face", outcome, "gate", "in")) == []


def test_sighting_keeps_its_event_its_score_and_its_token(database: Database) -> None:
    message = msgspec.structs.replace(face_of("p-1")(START, RECEIVED, False), token="t-1")
    with database.read() as session:
        (seen,) = observe(session, COMPOUND, [message])
    assert (seen.id, seen.sighting_id, seen.event_id) == (message.id, message.id, message.event_id)
    assert (seen.person_id, seen.score, seen.lane, seen.direction) == ("p-1", 0.31, "gate", "in")
    assert (seen.at, seen.received_at, seen.late, seen.token) == (START, RECEIVED, False, "t-1")
    assert seen.device_time is None


# ── the register's people ─────────────────────────────────────────────────────


def settle(world: World) -> None:
    """Two buildings, a household in each, a cleaner, a tenant who left yesterday."""
    world.add(
        Zone(id="hall-2", compound=COMPOUND, name="2", ring=Ring.BUILDING, kind="building", outline=[[0, 0]]),
        Zone(id="gate-2", compound=COMPOUND, name="g", ring=Ring.ENTRANCE, kind="gate", outline=[[0, 0]]),
    )
    for number, zone in (("1", "hall"), ("2", "hall-2")):
        world.add(
            Building(
                id=f"b-{number}",
                compound=COMPOUND,
                zone=zone,
                name=f"{number}幢",
                x=0,
                y=0,
                width=1,
                height=1,
            ),
            Unit(id=f"u-{number}", compound=COMPOUND, building=f"b-{number}", name="1"),
        )
        for floor, state in ((3, "occupied"), (4, "vacant")):
            world.add(
                Dwelling(
                    id=f"d-{number}-{floor}",
                    compound=COMPOUND,
                    unit=f"u-{number}",
                    floor=floor,
                    room_no=f"{floor}01",
                    state=state,
                    external_id=f"WY{number}{floor}",
                    address_key=f"{number}-1-{floor}01",
                )
            )
        world.add(Household(id=f"h-{number}", compound=COMPOUND, dwelling=f"d-{number}-3"))
    people = {"p-1": "h-1", "p-2": "h-2", "tenant": None, "cleaner": None, "gone": None}
    for person, household in people.items():
        world.add(Person(id=person, compound=COMPOUND, household=household, name=person))
    world.add(
        residence("p-1", "d-1-3", dt.date(2020, 1, 1)),
        residence("tenant", "d-2-4", dt.date(2024, 1, 1), TODAY - DAY, ResidenceKind.TENANT),
        Organisation(id="o-1", compound=COMPOUND, name="物业", kind="company"),
        Premises(
            id="pr-1", compound=COMPOUND, organisation="o-1", dwelling="d-2-4", since=dt.date(2020, 1, 1)
        ),
        StaffLink(
            id="s-1", compound=COMPOUND, organisation="o-1", person="cleaner", since=dt.date(2020, 1, 1)
        ),
    )


def residence(person, dwelling, since, until=None, kind=ResidenceKind.OWNER_OCCUPIER):
    return Residence(
        id=new_id(), compound=COMPOUND, person=person, dwelling=dwelling, kind=kind, since=since, until=until
    )


def key_card(world: World, number: str, person: str, status: str = "active", **dates) -> None:
    row = Credential(id=f"c-{number}", compound=COMPOUND, person=person, kind="card", status=status, **dates)
    row.ref_key = lookups.credential_key(COMPOUND, "card", number)
    world.add(row)


def test_resident_belongs_to_their_own_building_alone(world: World, database: Database) -> None:
    settle(world)
    facts = one(database, face_of("p-1")).person
    assert (facts.belongs, facts.staff, facts.buildings) == (True, False, {"hall"})
    assert (facts.household_id, facts.tenancy_ended_on, facts.cared_for) == ("h-1", None, False)


def test_member_of_a_household_belongs_without_dates(world: World, database: Database) -> None:
    settle(world)
    assert one(database, face_of("p-2")).person.buildings == {"hall-2"}


def test_staff_are_known_and_enter_where_their_work_is(world: World, database: Database) -> None:
    settle(world)
    facts = one(database, face_of("cleaner")).person
    assert (facts.belongs, facts.staff, facts.buildings) == (True, True, {"hall-2"})


def test_tenant_whose_last_day_was_yesterday(world: World, database: Database) -> None:
    settle(world)
    facts = one(database, face_of("tenant")).person
    assert (facts.belongs, facts.buildings, facts.tenancy_ended_on) == (False, frozenset(), TODAY - DAY)


def test_tenancy_holds_until_midnight_of_its_last_day_by_the_compounds_clock(
    world: World, database: Database
) -> None:
    settle(world)
    midnight = dt.datetime(2026, 11, 22, 16, 0, tzinfo=dt.UTC)
    before = one(database, face_of("tenant"), at=midnight - dt.timedelta(seconds=1)).person
    after = one(database, face_of("tenant"), at=midnight).person
    assert (before.belongs, before.tenancy_ended_on) == (True, None)
    assert (after.belongs, after.tenancy_ended_on) == (False, TODAY - DAY)


def test_who_moved_within_the_compound_has_no_ended_tenancy(world: World, database: Database) -> None:
    settle(world)
    world.add(residence("tenant", "d-1-4", TODAY - DAY))
    facts = one(database, face_of("tenant")).person
    assert (facts.belongs, facts.tenancy_ended_on, facts.buildings) == (True, None, {"hall"})


def test_who_moves_in_tomorrow_does_not_belong_yet(world: World, database: Database) -> None:
    settle(world)
    world.add(residence("gone", "d-1-4", TODAY + DAY))
    facts = one(database, face_of("gone")).person
    assert (facts.belongs, facts.buildings, facts.tenancy_ended_on) == (False, frozenset(), None)
    assert one(database, face_of("gone"), at=START + DAY).person.buildings == {"hall"}


def test_whom_the_register_does_not_know_is_named_and_no_more(world: World, database: Database) -> None:
    seen = one(database, face_of("nobody"))
    assert (seen.person_id, seen.person) == ("nobody", None)


def test_care_holds_from_consent_to_withdrawal(world: World, database: Database) -> None:
    settle(world)
    world.add(consent("p-1", START - DAY, START))
    assert one(database, face_of("p-1"), at=START - dt.timedelta(seconds=1)).person.cared_for
    assert not one(database, face_of("p-1"), at=START).person.cared_for
    assert not one(database, face_of("p-1"), at=START - 2 * DAY).person.cared_for


def consent(person, given, withdrawn=None, purpose=ConsentPurpose.ELDER_CARE):
    return Consent(
        id=new_id(),
        compound=COMPOUND,
        person=person,
        purpose=purpose,
        text_hash="x",
        channel="paper",
        given_by="self",
        given_at=given,
        withdrawn_at=withdrawn,
    )


def test_terminals_match_names_the_person(world: World, database: Database) -> None:
    settle(world)

    def report(moment, received, late):
        message = event("access.granted", "hall", credential=CredentialUse("face"))(moment, received, late)
        return msgspec.structs.replace(message, match=DeviceMatch("r-1", 0.9, None, "p-1"))

    seen = one(database, report)
    assert (seen.person_id, seen.household_id, seen.score) == ("p-1", "h-1", 0.9)
    assert seen.person.buildings == {"hall"}


def test_match_that_means_nobody_is_nobody(database: Database) -> None:
    def report(moment, received, late):
        message = event("access.granted", "hall")(moment, received, late)
        return msgspec.structs.replace(message, match=DeviceMatch("r-1", 0.9))

    assert one(database, report).person_id is None


# ── credentials ───────────────────────────────────────────────────────────────


def test_card_names_its_holder_their_home_and_how_it_stands(world: World, database: Database) -> None:
    settle(world)
    key_card(world, "4711", "p-1")
    seen = one(database, card("hall", "4711"))
    assert (seen.credential_id, seen.person_id, seen.household_id) == ("c-4711", "p-1", "h-1")
    assert seen.credential == CredentialFacts("c-4711", "card", "active")
    assert seen.dwelling == DwellingFacts("d-1-3", "occupied", "hall")
    assert one(database, card("hall", "4712")).credential is None


def test_who_shows_a_lost_card_is_not_its_holder(world: World, database: Database) -> None:
    settle(world)
    key_card(world, "4711", "p-1", "lost")
    seen = one(database, card("hall", "4711"))
    assert (seen.person_id, seen.credential.status) == (None, "lost")
    key_card(world, "4712", "p-1", "suspended")
    assert one(database, card("hall", "4712")).person_id == "p-1"


def test_card_outside_its_dates_is_expired_at_that_moment_only(world: World, database: Database) -> None:
    settle(world)
    key_card(world, "4711", "p-1", starts_at=START, ends_at=START + DAY)
    seconds = dt.timedelta(seconds=1)
    for at, expired in (
        (START - seconds, True),
        (START, False),
        (START + DAY - seconds, False),
        (START + DAY, True),
    ):
        assert one(database, card("hall", "4711"), at=at).credential.expired is expired


def test_number_given_out_again_is_its_present_holders(world: World, database: Database) -> None:
    settle(world)
    key_card(world, "4711", "p-1", "ended")
    row = Credential(id="a-new", compound=COMPOUND, person="p-2", kind="card", status="active")
    row.ref_key = lookups.credential_key(COMPOUND, "card", "4711")
    world.add(row)
    assert one(database, card("hall", "4711")).credential_id == "a-new"


def test_card_counts_where_it_is_shown_only(world: World, database: Database) -> None:
    settle(world)
    key_card(world, "4711", "p-1")
    seen = one(database, event("door.opened", "hall", credential=CredentialUse("card", "4711")))
    assert (seen.credential_id, seen.person_id) == (None, None)


# ── passes ────────────────────────────────────────────────────────────────────


def a_pass(world: World, name: str, **facts) -> None:
    given = {"kind": "visitor", "starts_at": START - DAY, "ends_at": START + DAY, "zones": []} | facts
    world.add(VisitorPass(id=name, compound=COMPOUND, **given))


def test_pass_is_found_by_its_qr_its_id_its_card_and_its_plate(world: World, database: Database) -> None:
    token = new_token()
    a_pass(
        world,
        "v-1",
        token_hash=token_hash(token),
        plate="云M12345",
        zones=["gate"],
        card_key=lookups.credential_key(COMPOUND, "card", "99"),
        max_uses=3,
    )
    shown = [
        event("access.granted", "gate", credential=CredentialUse("qr", token)),
        event("access.granted", "gate", credential=CredentialUse("pass", "v-1")),
        event("access.granted", "gate", credential=CredentialUse("card", "99")),
        plate_unknown("云M12345"),
        with_attributes("visitor.checked_in", visitor_pass="v-1"),
    ]
    for seen in see(database, *shown):
        assert seen.visit.id == "v-1"
        assert (seen.visit.zones, seen.visit.max_uses, seen.visit.uses) == ({"gate"}, 3, 0)


def with_attributes(kind: str, **attributes):
    def report(moment, received, late):
        return msgspec.structs.replace(event(kind, "gate")(moment, received, late), attributes=attributes)

    return report


def test_pass_without_zones_opens_the_way_to_its_host(world: World, database: Database) -> None:
    settle(world)
    a_pass(world, "v-1", host_household="h-1")
    a_pass(world, "v-2", host_person="tenant", starts_at=START - 2 * DAY)
    a_pass(world, "v-3", host_organisation="o-1")
    entrances = {"gate", "side-gate", "drive", "gate-2"}
    shown = [event("access.granted", "gate", credential=CredentialUse("pass", f"v-{n}")) for n in (1, 2, 3)]
    zones = [seen.visit.zones for seen in see(database, *shown)]
    assert zones == [entrances | {"hall"}, entrances | {"hall-2"}, entrances | {"hall-2"}]
    assert [seen.visit.host_household for seen in see(database, *shown)] == ["h-1", None, None]
    # Where its visitor is expected.
    assert one(database, shown[0]).dwelling == DwellingFacts("d-1-3", "occupied", "hall")


def test_uses_before_this_one_are_counted(world: World, database: Database) -> None:
    a_pass(world, "v-1", max_uses=2)
    for minutes, counted in ((-60, True), (-30, True), (-20, False), (0, True), (10, True)):
        world.add(
            PassUse(
                id=new_id(),
                compound=COMPOUND,
                visitor_pass="v-1",
                zone="gate",
                at=START + dt.timedelta(minutes=minutes),
                counted=counted,
            )
        )
    shown = event("access.granted", "gate", credential=CredentialUse("pass", "v-1"))
    assert one(database, shown).visit.uses == 2


def test_pass_that_was_never_granted_is_no_visit(world: World, database: Database) -> None:
    shown = event("access.denied", "gate", credential=CredentialUse("pass", "v-1"))
    a_pass(world, "v-1", state=PassState.REQUESTED)
    assert one(database, shown).visit is None


def test_revoked_pass_ended_when_it_was_revoked(world: World, database: Database) -> None:
    a_pass(world, "v-1", state=PassState.REVOKED, decided_at=START - dt.timedelta(hours=1))
    shown = event("access.denied", "gate", credential=CredentialUse("pass", "v-1"))
    assert one(database, shown).visit.ends_at == START - dt.timedelta(hours=1)


def test_car_of_a_visitor_who_leaves_late_is_still_that_visitors(world: World, database: Database) -> None:
    a_pass(world, "v-1", plate="云M12345", ends_at=START)
    late = one(database, plate_unknown("云M12345", direction="out"), at=START + dt.timedelta(hours=2))
    assert (late.visit.id, late.plate_welcome) == ("v-1", False)
    assert one(database, plate_unknown("云M12345"), at=START + 2 * DAY).visit is None


@pytest.mark.parametrize(
    ("plate", "welcome"),
    [("云M1234警", True), ("云M1234应急", True), ("WJ云1234X", True), ("KA12345", True), ("云M12345", False)],
)
def test_who_comes_to_help_is_welcome(database: Database, plate: str, *, welcome: bool) -> None:
    assert one(database, plate_unknown(plate)).plate_welcome is welcome


def test_plate_is_welcome_while_its_pass_holds_and_has_a_use_left(world: World, database: Database) -> None:
    a_pass(world, "v-1", plate="云M12345", max_uses=1, starts_at=START, ends_at=START + DAY)
    world.add(
        PassUse(
            id="u-1", compound=COMPOUND, visitor_pass="v-1", zone="drive", at=START + dt.timedelta(hours=1)
        )
    )
    moments = {-1: False, 0: True, 3600 + 60: True, 3600 + 121: False}
    for seconds, welcome in moments.items():
        seen = one(database, plate_unknown("云M12345"), at=START + dt.timedelta(seconds=seconds))
        assert seen.plate_welcome is welcome, seconds


def test_uncertain_reading_makes_nobody_welcome(database: Database) -> None:
    assert not one(database, plate_uncertain("云M1234警")).plate_welcome


# ── vehicles, dwellings ───────────────────────────────────────────────────────


def test_vehicle_with_its_drivers_of_that_day(world: World, database: Database) -> None:
    settle(world)
    world.add(
        Vehicle(id="car-1", compound=COMPOUND, plate="云M11111", household="h-1", guarded=True),
        AuthorisedDriver(
            id="a-1", compound=COMPOUND, vehicle="car-1", person="tenant", since=TODAY, until=TODAY
        ),
    )
    facts = one(database, plate_of("car-1", "云M11111")).vehicle
    assert (facts.id, facts.household_id, facts.guarded) == ("car-1", "h-1", True)
    assert facts.drivers == {"p-1", "tenant"}
    assert one(database, plate_of("car-1", "云M11111"), at=START + DAY).vehicle.drivers == {"p-1"}
    assert one(database, plate_unknown("云M22222")).vehicle is None


def test_car_that_a_camera_names_beside_what_it_reports(world: World, database: Database) -> None:
    settle(world)
    world.add(Vehicle(id="car-1", compound=COMPOUND, plate="云M11111", household="h-1"))

    def report(moment, received, late):
        message = event("video.fire_lane_blocked", "square")(moment, received, late)
        return msgspec.structs.replace(message, plate=PlateReading("云M·11111", 0.9))

    seen = one(database, report)
    assert (seen.plate, seen.vehicle_id, seen.vehicle.household_id) == ("云M11111", "car-1", "h-1")


@pytest.mark.parametrize("name", ["d-1-4", "WY14", "1幢1单元401室"])
def test_dwelling_by_id_by_the_offices_number_or_by_address(
    world: World, database: Database, name: str
) -> None:
    settle(world)
    seen = one(database, with_attributes("door.opened", dwelling=name))
    assert seen.dwelling == DwellingFacts("d-1-4", "vacant", "hall")
    assert one(database, with_attributes("door.opened", dwelling="9幢909")).dwelling is None


def test_life_in_a_dwelling_is_a_sign_of_everybody_there_who_is_looked_after(
    world: World, database: Database
) -> None:
    settle(world)
    world.add(Person(id="p-3", compound=COMPOUND, household="h-1", name="丙"))
    stirs = with_attributes("care.activity", dwelling="WY13", water_m3=0.02)
    assert [seen.person_id for seen in see(database, stirs)] == [None]
    world.add(consent("p-3", START - DAY), consent("p-1", START - DAY))
    seen = see(database, stirs)
    assert [one.person_id for one in seen] == ["p-1", "p-3"]
    assert all(one.person.cared_for and one.number("water_m3") == 0.02 for one in seen)
    assert len({one.id for one in seen}) == 2
    assert len({one.event_id for one in seen}) == 1


# ── the watch-list ────────────────────────────────────────────────────────────


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
        ends_at=START + DAY,
    )


def test_all_entries_of_a_subject_are_joined_with_their_rings(world: World, database: Database) -> None:
    world.add(Compound(id="poplar", name="白杨小区", time_zone="Asia/Shanghai"))
    world.add(
        entry("a", "p-1", WatchlistSubject.PERSON, [Ring.ENTRANCE]),
        entry("b", "p-1", WatchlistSubject.PERSON, [Ring.COMMON, Ring.BUILDING]),
        entry("c", "p-2", WatchlistSubject.PERSON, [Ring.ENTRANCE]),
        entry("d", "p-1", WatchlistSubject.PERSON, [Ring.ENTRANCE], compound="poplar"),
    )
    assert one(database, face_of("p-1")).watch == (
        WatchHit("a", frozenset({"entrance"})),
        WatchHit("b", frozenset({"common", "building"})),
    )


def test_entry_holds_from_its_first_moment_to_before_its_last_or_its_lifting(
    world: World, database: Database
) -> None:
    lifted = entry("a", "云M11111", WatchlistSubject.PLATE, [Ring.ENTRANCE])
    lifted.lifted_at, lifted.lifted_by = START + dt.timedelta(hours=1), "officer-3"
    world.add(lifted)
    second = dt.timedelta(seconds=1)
    hour = dt.timedelta(hours=1)
    for at, hit in ((-second, False), (0 * second, True), (hour - second, True), (hour, False)):
        assert bool(one(database, plate_unknown("云M11111"), at=START + at).watch) is hit
    assert one(database, plate_uncertain("云M11111")).watch == ()


def test_credential_that_is_looked_for_counts_before_the_one_that_opens(
    world: World, database: Database
) -> None:
    settle(world)
    key_card(world, "4711", "p-1", "lost")
    row = Credential(id="a-new", compound=COMPOUND, person="p-2", kind="card", status="active")
    row.ref_key = lookups.credential_key(COMPOUND, "card", "4711")
    world.add(row, entry("w", "c-4711", WatchlistSubject.CREDENTIAL, [Ring.BUILDING]))
    seen = one(database, card("hall", "4711"))
    assert (seen.credential_id, [hit.entry_id for hit in seen.watch]) == ("c-4711", ["w"])


# ── devices ───────────────────────────────────────────────────────────────────


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
    assert one(database, offline("common-3", "square")).ring_offline == 0.25
    assert one(database, offline("building-0", "hall")).ring_offline == 1.0
    assert one(database, offline()).ring_offline == 0.0
    assert one(database, card()).ring_offline == 0.0


# ── in bulk ───────────────────────────────────────────────────────────────────


def crowd(count: int) -> list:
    """A mixed lot of messages of a few minutes, of everybody there is and of nobody."""
    chance = random.Random(3)
    reports = [
        *(face_of(person) for person in ("p-1", "p-2", "tenant", "cleaner", "nobody")),
        *(card("hall", number) for number in ("4711", "4712", "4713")),
        *(plate_unknown(plate) for plate in ("云M12345", "云M1234警", "云M22222")),
        plate_of("car-1", "云M11111"),
        face_unknown(),
        door_opened("hall"),
        offline("common-1", "square"),
        with_attributes("care.activity", dwelling="WY13"),
        with_attributes("visitor.checked_in", visitor_pass="v-1"),
    ]
    told = []
    for number in range(count):
        moment = START + dt.timedelta(seconds=number)
        told.append(chance.choice(reports)(moment, moment, False))
    return told


def populate(world: World) -> None:
    settle(world)
    key_card(world, "4711", "p-1")
    key_card(world, "4712", "p-2", "lost")
    a_pass(world, "v-1", plate="云M12345", host_household="h-1", max_uses=2)
    world.add(
        Vehicle(id="car-1", compound=COMPOUND, plate="云M11111", household="h-1"),
        consent("p-1", START - DAY),
        entry("w", "p-2", WatchlistSubject.PERSON, [Ring.ENTRANCE]),
    )
    world.devices("common", online=2, offline=2)


def test_many_at_once_are_seen_as_one_by_one(world: World, database: Database) -> None:
    populate(world)
    messages = crowd(200)
    with database.read() as session:
        together = observe(session, COMPOUND, messages)
        apart = [seen for message in messages for seen in observe(session, COMPOUND, [message])]
        register = Register(session, COMPOUND)
        in_chunks = [
            seen
            for start in range(0, 200, 7)
            for seen in observe(session, COMPOUND, messages[start : start + 7], register)
        ]
    assert together == apart == in_chunks
    assert len(together) >= 200


def queries(database: Database, messages: list[EventStored]) -> int:
    asked = []
    note = lambda *_: asked.append(1)  # noqa: E731
    sql_event.listen(database.engine, "before_cursor_execute", note)
    try:
        with database.read() as session:
            observe(session, COMPOUND, messages)
    finally:
        sql_event.remove(database.engine, "before_cursor_execute", note)
    return len(asked)


def test_a_thousand_cost_as_many_queries_as_a_hundred(world: World, database: Database) -> None:
    populate(world)
    # All kinds are among the first hundred.
    messages = crowd(1000)
    assert queries(database, messages) == queries(database, messages[:100]) <= 40


def test_a_door_costs_the_compounds_clock_and_nothing_else(world: World, database: Database) -> None:
    populate(world)
    # BEGIN and the time zone.
    assert queries(database, [door_opened("hall")(START, START, False)]) <= 2

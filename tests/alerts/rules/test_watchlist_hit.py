"""R-E09: on the watch-list, and seen where and when the entry allows to look."""

import datetime as dt

import pytest
from timeline import (
    COMPOUND,
    START,
    World,
    amended,
    at,
    barrier_opened,
    card,
    card_refused,
    event,
    expect,
    face_of,
    face_uncertain,
    plate_of,
    plate_uncertain,
    plate_unknown,
    raised,
    sighting,
)

from alerts.duty.models import Team, TeamKind
from bus.messages import CredentialUse
from registry import lookups
from registry.models import (
    Credential,
    CredentialKind,
    CredentialStatus,
    LegalBasis,
    Person,
    Ring,
    WatchlistEntry,
    WatchlistSubject,
)


@pytest.fixture(autouse=True)
def _about(world: World) -> None:
    world.about = frozenset({"R-E04", "R-E09", "R-E11", "R-E12"})


EVERYWHERE = (Ring.ENTRANCE, Ring.COMMON, Ring.BUILDING)
AT_THE_GATE = raised("R-E09", severity=3)


def entry(
    subject: str = "p-7",
    *,
    kind: WatchlistSubject = WatchlistSubject.PERSON,
    rings: tuple[Ring, ...] = EVERYWHERE,
    starts: float = -600,
    ends: float = 6000,
    lifted: float | None = None,
    compound: str = COMPOUND,
    name: str = "entry-1",
    priority: int = 3,
) -> WatchlistEntry:
    return WatchlistEntry(
        id=name,
        compound=compound,
        subject_kind=kind,
        subject=subject,
        legal_basis=LegalBasis.POLICE_ORDER,
        document_no="公缉〔2026〕17号",
        applicant="officer-1",
        approver="officer-2",
        reason="theft",
        rings=list(rings),
        priority=priority,
        starts_at=START + dt.timedelta(seconds=starts),
        ends_at=START + dt.timedelta(seconds=ends),
        lifted_at=None if lifted is None else START + dt.timedelta(seconds=lifted),
    )


def test_person_on_the_list_raises_at_once_and_asks_for_a_comparison(world: World) -> None:
    world.add(entry())
    world.play(at(+1, face_of("p-7")), expect(+1, AT_THE_GATE))

    incident = world.incident()
    assert incident.needs_comparison
    assert (incident.subject_kind, incident.subject) == ("person", "p-7")
    assert incident.reason_args == {"entry_id": "entry-1", "distance": 0.31}


def test_plate_on_the_list_raises_whether_registered_or_not(world: World) -> None:
    world.add(
        entry("云M11111", kind=WatchlistSubject.PLATE),
        entry("云M22222", kind=WatchlistSubject.PLATE, name="entry-2"),
    )
    world.play(
        at(+0, plate_unknown("云M11111")),
        at(+5, plate_of("car-1", "云M22222")),
        expect(+0, AT_THE_GATE),
        expect(+5, AT_THE_GATE),
    )
    assert [incident.reason_args["plate"] for incident in world.incidents()] == ["云M11111", "云M22222"]


def test_unregistered_plate_on_the_list_is_two_matters(world: World) -> None:
    world.add(entry("云M11111", kind=WatchlistSubject.PLATE))
    world.play(
        at(+0, plate_unknown("云M11111")),
        at(+3, barrier_opened()),
        expect(+0, AT_THE_GATE),
        expect(+65, raised("R-E04", severity=4)),
    )


@pytest.mark.parametrize(("lane", "severity"), [("gate", 3), ("square", 2), ("hall", 1)])
def test_deeper_ring_is_graver(world: World, lane: str, severity: int) -> None:
    world.add(entry())
    world.play(at(+0, face_of("p-7", lane)), expect(+0, raised("R-E09", severity=severity)))


def test_one_incident_follows_its_subject_inwards_and_never_gets_milder(world: World) -> None:
    world.add(
        entry(),
        Team(id="guards", compound=COMPOUND, name="保安队", kind=TeamKind.GUARD),
        Team(id="watch", compound=COMPOUND, name="义警队", kind=TeamKind.VOLUNTEER_POLICE),
    )
    world.play(at(+0, face_of("p-7")), expect(+0, AT_THE_GATE))
    assert world.incident().team == "guards"
    world.play(
        at(+100, face_of("p-7", "square")),
        at(+200, face_of("p-7", "hall")),
        at(+300, face_of("p-7")),
        # Each step deeper is a hit, and R-X03's word that it is one.
        *[expect(+100, amended("R-E09", severity=2))] * 2,
        *[expect(+200, amended("R-E09", severity=1))] * 2,
        expect(+300, amended("R-E09", severity=1)),
    )
    incident = world.incident()
    assert (incident.ring, incident.zone, incident.lane) == ("building", "hall", "hall")
    assert (incident.team, incident.signal_count) == ("watch", 6)
    assert incident.happened_at == START


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"ends": 0}, id="ends_this_second"),
        pytest.param({"ends": -1}, id="ended_a_second_ago"),
        pytest.param({"starts": +1}, id="begins_in_a_second"),
        pytest.param({"lifted": -60}, id="lifted"),
        pytest.param({"rings": (Ring.COMMON, Ring.BUILDING)}, id="ring_not_allowed"),
        pytest.param({"subject": "p-8"}, id="somebody_else"),
        pytest.param({"kind": WatchlistSubject.PLATE}, id="a_plate_of_that_name"),
    ],
)
def test_entry_that_does_not_hold_here_and_now_is_silent(world: World, given: dict) -> None:
    world.add(entry(**given))
    world.play(at(+0, face_of("p-7")))


@pytest.mark.parametrize(
    "given", [{"starts": 0}, {"ends": +1}], ids=["begins_this_second", "ends_in_a_second"]
)
def test_entry_holds_from_its_first_second_to_its_last(world: World, given: dict) -> None:
    world.add(entry(**given))
    world.play(at(+0, face_of("p-7")), expect(+0, AT_THE_GATE))


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(face_uncertain(person_id="p-7"), id="uncertain_face"),
        pytest.param(plate_uncertain("云M11111"), id="near_plate"),
        pytest.param(
            sighting("face", "household", "gate", "in", household_id="h-1"), id="somebody_of_the_household"
        ),
    ],
)
def test_what_is_not_certain_is_no_hit(world: World, report) -> None:
    world.add(entry(), entry("云M11111", kind=WatchlistSubject.PLATE, name="entry-2"))
    world.play(at(+0, report))


@pytest.mark.parametrize("given", [{"late": True}, {"arrives": 15.5}], ids=["marked", "by_its_times"])
def test_replayed_record_is_no_hit(world: World, given: dict) -> None:
    world.add(entry())
    world.play(at(+0, face_of("p-7"), **given))


def test_hit_that_comes_in_five_seconds_late_is_one(world: World) -> None:
    world.add(entry())
    world.play(at(+0, face_of("p-7"), arrives=+5), expect(+5, AT_THE_GATE))


def test_hits_out_of_order_are_one_incident_at_the_deepest_ring(world: World) -> None:
    world.add(entry())
    world.play(
        at(+3, face_of("p-7", "square")),
        at(+0, face_of("p-7"), arrives=+5),
        expect(+3, raised("R-E09", severity=2)),
        # The hit that came in late, and R-X03's word that the other was a step deeper.
        *[expect(+5, amended("R-E09", severity=2))] * 2,
    )
    assert world.incident().ring == "common"


def test_same_message_again_says_nothing_more(world: World) -> None:
    world.add(entry())
    world.play(at(+0, face_of("p-7"), again=+40), expect(+0, AT_THE_GATE))
    assert world.incident().signal_count == 1


def test_hits_within_five_minutes_are_one_incident(world: World) -> None:
    world.add(entry())
    world.play(
        at(+0, face_of("p-7")),
        at(+300, face_of("p-7")),
        expect(+0, AT_THE_GATE),
        expect(+300, amended("R-E09", severity=3)),
    )


def test_hit_after_more_than_five_minutes_is_another(world: World) -> None:
    world.add(entry())
    world.play(
        at(+0, face_of("p-7")),
        at(+300.5, face_of("p-7")),
        expect(+0, AT_THE_GATE),
        expect(+300.5, AT_THE_GATE),
    )


def test_two_entries_for_one_person_are_one_incident(world: World) -> None:
    world.add(entry(), entry(name="entry-0"))
    world.play(at(+0, face_of("p-7")), expect(+0, AT_THE_GATE))
    assert world.incident().reason_args["entry_id"] == "entry-0"


def test_night_makes_a_hit_neither_graver_nor_milder(world: World) -> None:
    begins = dt.datetime(2026, 11, 23, 16, 30, tzinfo=dt.UTC)  # half past midnight
    world.add(entry(ends=86_400))
    world.play(at(+0, face_of("p-7")), expect(+0, AT_THE_GATE), begins=begins)


def test_muted_camera_is_silent(world: World) -> None:
    world.add(entry())
    world.mute("R-E09", place="gate-camera")
    world.play(
        at(+0, face_of("p-7")), at(+5, face_of("p-7", "square")), expect(+5, raised("R-E09", severity=2))
    )


# ── how urgent the entry is ───────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("priority", "by_lane"),
    [
        pytest.param(1, {"gate": 1, "square": 1, "hall": 1}, id="critical_wherever_it_is"),
        pytest.param(2, {"gate": 2, "square": 2, "hall": 1}, id="at_least_urgent"),
        pytest.param(3, {"gate": 3, "square": 2, "hall": 1}, id="as_the_ring_says"),
        pytest.param(4, {"gate": 3, "square": 3, "hall": 3}, id="never_more_than_a_warning"),
    ],
)
def test_priority_raises_and_caps_what_the_ring_says(world: World, priority: int, by_lane: dict) -> None:
    world.add(*(entry(f"p-{lane}", name=lane, priority=priority) for lane in by_lane))
    world.play(
        *(at(+0, face_of(f"p-{lane}", lane)) for lane in by_lane),
        *(expect(+0, raised("R-E09", severity=severity)) for severity in by_lane.values()),
    )


def test_most_urgent_of_several_entries_counts(world: World) -> None:
    world.add(
        entry(name="entry-0", priority=4),
        entry(priority=1, rings=(Ring.ENTRANCE,)),
        entry(name="entry-2", priority=1, rings=(Ring.BUILDING,)),
    )
    world.play(at(+0, face_of("p-7")), expect(+0, raised("R-E09", severity=1)))
    assert world.incident().reason_args["entry_id"] == "entry-1"


# ── credentials ───────────────────────────────────────────────────────────────

LOST = "0004711"
# That it was reported lost is a matter of its own, listed or not.
REPORTED_LOST = expect(+5, raised("R-E11", severity=3))


def lost_card(
    world: World, *, status: CredentialStatus = CredentialStatus.LOST, name: str = "card-1"
) -> None:
    holder = Person(id=f"holder-of-{name}", compound=COMPOUND, name="甲")
    row = Credential(id=name, compound=COMPOUND, person=holder.id, kind=CredentialKind.CARD, status=status)
    row.ref, row.ref_key = LOST, lookups.credential_key(COMPOUND, "card", LOST)
    world.add(holder)
    world.add(row)


def listed(name: str = "card-1", **more: object) -> WatchlistEntry:
    return entry(name, kind=WatchlistSubject.CREDENTIAL, **more)


@pytest.mark.parametrize(
    ("report", "besides"),
    [
        pytest.param(card("gate", LOST), REPORTED_LOST, id="granted"),
        pytest.param(card_refused("gate", " 000-4711"), REPORTED_LOST, id="refused_and_spelt_otherwise"),
        pytest.param(
            event("access.duress", "gate", credential=CredentialUse("card", LOST)),
            expect(+0, raised("R-E12", severity=1)),
            id="duress",
        ),
    ],
)
def test_lost_card_on_the_list_raises_when_it_is_shown(world: World, report, besides) -> None:
    lost_card(world)
    world.add(listed())
    world.play(at(+0, report), expect(+0, AT_THE_GATE), besides)

    incident = next(one for one in world.incidents() if one.rule == "R-E09")
    assert (incident.subject_kind, incident.subject) == ("credential", "card-1")
    assert incident.reason_args == {"entry_id": "entry-1", "credential": "card-1"}
    assert not incident.needs_comparison, "there are no two pictures of a card"


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(card("gate", "0004712"), id="another_card"),
        pytest.param(card("gate"), id="reader_that_tells_no_number"),
        pytest.param(
            event("access.granted", "gate", credential=CredentialUse("pin", LOST)), id="a_pin_like_it"
        ),
        pytest.param(
            event("door.opened", "gate", credential=CredentialUse("card", LOST)), id="no_access_event"
        ),
    ],
)
def test_what_is_not_that_card_at_a_reader_is_no_hit(world: World, report) -> None:
    lost_card(world)
    world.add(listed())
    world.play(at(+0, report))


def test_lost_card_that_nobody_listed_is_no_hit(world: World) -> None:
    lost_card(world)
    world.play(at(+0, card("gate", LOST)), REPORTED_LOST)


@pytest.mark.parametrize(
    "given",
    [{"ends": 0}, {"lifted": -60}, {"rings": (Ring.BUILDING,)}],
    ids=["ended", "lifted", "other_ring"],
)
def test_credential_entry_that_does_not_hold_is_silent(world: World, given: dict) -> None:
    lost_card(world)
    world.add(listed(**given))
    world.play(at(+0, card("gate", LOST)), REPORTED_LOST)


def test_number_that_was_given_out_again_hits_the_listed_credential(world: World) -> None:
    lost_card(world, name="card-0", status=CredentialStatus.ACTIVE)
    lost_card(world)
    world.add(listed())
    world.play(at(+0, card("gate", LOST)), expect(+0, AT_THE_GATE), REPORTED_LOST)
    assert {one.subject for one in world.incidents()} == {"card-1"}


def test_replayed_card_is_no_hit(world: World) -> None:
    lost_card(world)
    world.add(listed())
    world.play(at(+0, card("gate", LOST), late=True))


def test_entry_that_was_lifted_after_the_sighting_had_hit_by_then(world: World) -> None:
    world.add(entry(lifted=+1))
    world.play(at(+0, face_of("p-7")), at(+1, face_of("p-7")), expect(+0, AT_THE_GATE))

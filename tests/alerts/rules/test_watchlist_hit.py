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
from registry.models import LegalBasis, Ring, WatchlistEntry, WatchlistSubject

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
        expect(+60, raised("R-E04", severity=4)),
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
        expect(+100, amended("R-E09", severity=2)),
        expect(+200, amended("R-E09", severity=1)),
        expect(+300, amended("R-E09", severity=1)),
    )
    incident = world.incident()
    assert (incident.ring, incident.zone, incident.lane) == ("building", "hall", "hall")
    assert (incident.team, incident.signal_count) == ("watch", 4)
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
        expect(+5, amended("R-E09", severity=2)),
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

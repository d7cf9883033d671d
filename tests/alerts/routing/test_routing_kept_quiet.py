"""Silences, inhibition, merges and lost turns on a real database: what is quiet is told when it may be."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from routed import OPERATOR, ROUND, House, moment
from sqlalchemy import select
from timeline import COMPOUND

from alerts import reactions, rounds
from alerts.duty.models import TeamKind
from alerts.incidents import merging
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.routing import reaction, silences
from alerts.routing.models import RouteGroup, Telling
from alerts.routing.rounds import sweep
from storage import Database


@pytest.fixture
def house(each_database: Database) -> House:
    house = House(each_database)
    house.man(TeamKind.OPERATOR)
    return house


def silence(house: House, at: float, until: float, *matchers: str, gravest: int = 3) -> str:
    with house.database.write() as session:
        return silences.make(
            session, COMPOUND, matchers, gravest, moment(until), "works", OPERATOR, moment(at)
        ).id


def tellings(house: House) -> list[Telling]:
    with house.database.read() as session:
        rows = list(session.scalars(select(Telling).order_by(Telling.incident, Telling.receiver)))
        session.expunge_all()
    return rows


def test_silenced_is_told_to_nobody_and_when_the_silence_ends_what_is_still_open_is(house: House) -> None:
    silence(house, 0, 600, "ring = entrance")
    incident = house.raises("a", 1, severity=3)
    house.turn(599)
    assert house.told() == []
    assert {(row.quiet_why, row.severity) for row in tellings(house)} == {("silenced", None)}
    house.turn(600)
    house.turn(610)
    assert house.told(incident) == ["operator"]


def test_lifting_a_silence_tells_what_it_kept_quiet(house: House) -> None:
    made = silence(house, 0, 86_400, "ring = entrance")
    incident = house.raises("a", 1, severity=3)
    house.turn(50)
    with house.database.write() as session:
        silences.lift(session, COMPOUND, made, OPERATOR, moment(60))
    house.turn(60)
    house.turn(70)
    assert house.told(incident) == ["operator"]


def test_silence_of_the_lesser_never_holds_what_became_graver(house: House) -> None:
    silence(house, 0, 86_400, "ring = entrance", gravest=3)
    incident = house.raises("a", 1, severity=4)
    house.raises("a", 5, severity=2)
    assert [(row.severity, row.responder) for row in house.notices(incident)] == [(2, "operator")]


def test_silence_made_while_a_group_waits_keeps_what_waits_quiet(house: House) -> None:
    house.raises("a", severity=3)
    silence(house, 5, 600, "ring = entrance")
    house.turn(10)
    assert house.told() == []


def test_fire_sos_and_duress_are_told_whatever_is_silenced(house: House) -> None:
    silence(house, 0, 86_400, "ring =~ entrance|common|building", gravest=1)
    for number, (rule, kind) in enumerate(
        [("R-C09", "fire.suspected"), ("R-C08", "person.needs_help"), ("R-E12", "duress")]
    ):
        incident = house.raises(f"k{number}", 1, severity=1, rule=rule, kind=kind)
        assert house.told(incident) == ["operator"], kind


def test_preview_shows_what_is_open_and_would_be_quiet_and_no_safety(house: House) -> None:
    kept = house.raises("a", severity=3)
    house.raises("b", severity=2)
    house.raises("c", severity=3, ring="building")
    house.raises("d", severity=4, rule="R-C09", kind="fire.suspected")
    with house.database.read() as session:
        found = silences.preview(session, COMPOUND, ["ring = entrance"], 3)
        assert [row.id for row in found] == [kept.id]


def test_inhibited_is_told_once_its_source_is_over(house: House) -> None:
    storm = house.raises("s", severity=3, rule="R-D03", kind="device.storm")
    house.turn(10)
    clock = house.raises("c", 20, severity=4, rule="R-D05", kind="device.clock")
    house.turn(90)
    assert house.told(clock) == []
    graver = house.raises("o", 91, severity=2, rule="R-D01", kind="device.offline")
    assert house.told(graver) == ["operator"]
    house.step(storm, State.FALSE_ALARM, 100)
    house.turn(200)
    assert house.told(clock) == ["operator"]


def test_inhibited_of_another_device_is_told(house: House) -> None:
    house.raises("s", severity=3, rule="R-D03", kind="device.storm", device="d1")
    other = house.raises("c", 20, severity=4, rule="R-D05", kind="device.clock", device="d2")
    house.turn(120)
    assert house.told(other) == ["operator"]


def test_merged_takes_the_sources_notices_back_and_undoing_tells_again(house: House) -> None:
    target = house.raises("a", severity=2)
    source = house.raises("b", 1, severity=2)
    with house.database.write() as session:
        made = merging.merge(session, COMPOUND, target.id, source.id, OPERATOR, moment(5)).id
    house.turn(5)
    assert house.waiting(source) == []
    assert house.waiting(target) == ["operator"]
    with house.database.write() as session:
        merging.undo(session, COMPOUND, made, OPERATOR, moment(9))
    house.turn(9)
    assert house.waiting(source) == ["operator"]


def test_one_of_a_group_taken_on_before_anybody_heard_does_not_hide_the_others(house: House) -> None:
    """Grafana OnCall #2951 and the ninth complaint: one acknowledgement silences all."""
    house.raises("a", severity=4)
    face = house.raises("b", 1, severity=3)
    house.turn(10)
    assert house.told() == ["operator"]
    house.step(face, State.ACKNOWLEDGED, 11)
    house.turn(100)
    assert len(house.waiting()) == 1
    assert house.waiting(face) == []


def test_two_processes_at_once_tell_each_thing_once(house: House) -> None:
    incidents = [house.raises(f"k{number}", number / 10, severity=3) for number in range(6)]
    start = threading.Barrier(4)

    def turn(_: int) -> None:
        start.wait(timeout=30)
        for second in (10, 10.6, 11.2):
            now = moment(second)
            reactions.react(house.database, [("routing", reaction.follow)], lambda now=now: now)
            rounds.keep(house.database, [ROUND], lambda now=now: now, house.failed.append)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(turn, range(4)))
    house.turn(12)
    assert house.failed == []
    assert house.told() == ["operator"]
    assert house.notices()[0].arguments["count"] == len(incidents)


def test_clock_set_back_keeps_no_group_waiting(house: House) -> None:
    house.raises("a", 50_000, severity=3)
    house.turn(50_010)
    back = house.raises("b", 100, severity=3)
    house.turn(170)
    assert house.told(back) == ["operator"]


def test_empty_groups_are_forgotten_after_a_day_and_others_stay(house: House) -> None:
    incident = house.raises("a", severity=3)
    house.turn(10)
    with house.database.write() as session:
        assert sweep(session, moment(0) + dt.timedelta(days=3)) == 0
    house.step(incident, State.FALSE_ALARM, 20)
    with house.database.write() as session:
        assert sweep(session, moment(0) + dt.timedelta(days=3)) == 2
        assert session.scalars(select(RouteGroup)).all() == []


def test_incidents_row_takes_what_was_told_of_it_with_it(house: House) -> None:
    incident = house.raises("a", severity=2)
    assert tellings(house)
    with house.database.read() as session:
        columns = Telling.__table__.c["incident"].foreign_keys
        assert {key.ondelete for key in columns} == {"CASCADE"}
        assert session.get(Incident, incident.id) is not None

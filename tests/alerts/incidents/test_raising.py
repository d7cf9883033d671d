"""One incident per thing that happened, whatever is said twice, at once or out of order."""

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from timeline import COMPOUND, OPERATOR, START, World, door_forced

from alerts.duty.models import Team, TeamKind
from alerts.incidents import actions, raising
from alerts.incidents.lifecycle import FalseAlarmReason, State, Step
from alerts.incidents.models import Evidence, Incident, IncidentKey, Transition
from alerts.rules import Clear, Observation, Said, Signal
from bus.messages import IncidentChanged, decode
from registry.models import Compound
from storage import Database, new_id
from storage.events import OutboxRow

WINDOW_S = 60
KEY = "R-E01:gate"


def signal(
    offset: float = 0,
    *,
    key: str = KEY,
    severity: int = 3,
    ring: str = "entrance",
    subject: str | None = None,
) -> Signal:
    moment = START + dt.timedelta(seconds=offset)
    seen = Observation(
        id=new_id(),
        event_id=new_id(),
        sighting_id=new_id(),
        type="face.unknown",
        at=moment,
        received_at=moment,
        device=f"{ring}-camera",
        zone=ring,
        ring=ring,
        lane=ring,
    )
    return Signal(
        rule="R-E01",
        kind="person.unknown_passed",
        severity=severity,
        dedupe_key=key,
        dedupe_window=dt.timedelta(seconds=WINDOW_S),
        anchor=seen,
        evidence=(seen,),
        reason="unknown_passed",
        reason_args={"lane": ring},
        subject_kind="person" if subject else None,
        subject=subject,
    )


def said_alone(session: Session, compound: str, said: Said) -> Incident | None:
    """What one thing that was said makes: the incident that it changed, None when that is none."""
    changes = raising.apply_all(session, compound, [said], START)
    return changes[-1].incident if changes else None


def apply(database: Database, *signals: Signal, compound: str = COMPOUND) -> list[Incident | None]:
    with database.write() as session:
        return [said_alone(session, compound, one) for one in signals]


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def news(database: Database) -> list[IncidentChanged]:
    with database.read() as session:
        return [
            decode(payload) for payload in session.scalars(select(OutboxRow.payload).order_by(OutboxRow.seq))
        ]


def test_first_signal_raises_and_tells(database: Database) -> None:
    (incident,) = apply(database, signal())
    assert (incident.state, incident.version, incident.signal_count) == (State.RAISED, 1, 1)
    (told,) = news(database)
    assert (told.id, told.version, told.state, told.severity) == (incident.id, 1, "raised", 3)
    assert (count(database, Transition), count(database, Evidence)) == (1, 1)


@pytest.mark.parametrize("together", [True, False], ids=["in_one_commit", "one_after_the_other"])
def test_same_signal_again_leaves_one_row_of_evidence(database: Database, *, together: bool) -> None:
    one = signal()
    if together:
        _, again = apply(database, one, one)
    else:
        apply(database, one)
        (again,) = apply(database, one)
    assert again is None
    assert (count(database, Incident), count(database, Evidence), len(news(database))) == (1, 1, 1)


def test_further_signal_amends_and_tells(database: Database) -> None:
    apply(database, signal())
    (incident,) = apply(database, signal(30))
    assert (incident.version, incident.signal_count) == (2, 2)
    assert incident.last_signal_at == START + dt.timedelta(seconds=30)
    assert [told.version for told in news(database)] == [1, 2]
    assert (count(database, Incident), count(database, Evidence), count(database, Transition)) == (1, 2, 1)


@pytest.mark.parametrize(("offset", "incidents"), [(WINDOW_S, 1), (WINDOW_S + 0.001, 2)])
def test_window_ends_after_its_last_moment(database: Database, offset: float, incidents: int) -> None:
    apply(database, signal())
    apply(database, signal(offset))
    assert count(database, Incident) == incidents


def test_window_counts_from_the_last_signal(database: Database) -> None:
    for offset in (0, 50, 100, 150):
        apply(database, signal(offset))
    assert count(database, Incident) == 1


def test_older_signal_amends_and_turns_no_clock_back(database: Database) -> None:
    apply(database, signal(10))
    (incident,) = apply(database, signal(5))
    assert incident.last_signal_at == START + dt.timedelta(seconds=10)


def test_other_key_and_other_compound_are_other_incidents(database: Database) -> None:
    with database.write() as session:
        session.add(Compound(id="poplar", name="白杨小区", time_zone="Asia/Shanghai"))
    apply(database, signal(), signal(key="R-E01:side-gate"))
    apply(database, signal(), compound="poplar")
    assert count(database, Incident) == 3


def test_severity_rises_in_place_and_never_falls(database: Database) -> None:
    with database.write() as session:
        session.add(Team(id="guards", compound=COMPOUND, name="保安队", kind=TeamKind.GUARD))
        session.add(Team(id="watch", compound=COMPOUND, name="义警队", kind=TeamKind.VOLUNTEER_POLICE))
    apply(database, signal(severity=3))
    (graver,) = apply(database, signal(10, severity=1, ring="building"))
    assert (graver.severity, graver.ring, graver.zone, graver.team) == (1, "building", "building", "watch")
    assert graver.reason_args == {"lane": "building"}
    (milder,) = apply(database, signal(20, severity=4))
    assert (milder.severity, milder.ring, milder.team) == (1, "building", "watch")
    assert [told.severity for told in news(database)] == [3, 1, 1]


def test_subject_is_filled_in_when_it_becomes_known_and_not_replaced(database: Database) -> None:
    apply(database, signal())
    apply(database, signal(10, subject="p-1"))
    (incident,) = apply(database, signal(20, subject="p-2"))
    assert (incident.subject_kind, incident.subject) == ("person", "p-1")


def test_compound_without_the_routed_team_still_has_its_incident(database: Database) -> None:
    (incident,) = apply(database, signal())
    assert incident.team is None


@pytest.mark.parametrize("step", [None, Step(State.ACKNOWLEDGED)], ids=["raised", "acknowledged"])
def test_clear_ends_what_nobody_has_confirmed(database: Database, step: Step | None) -> None:
    (incident,) = apply(database, signal())
    with database.write() as session:
        if step is not None:
            actions.take_step(session, incident.id, step, OPERATOR, START)
        cleared = said_alone(session, COMPOUND, Clear("R-E01", KEY, START))
        assert cleared is not None
        assert (cleared.id, cleared.state) == (incident.id, State.AUTO_CLEARED)
        assert session.scalars(select(IncidentKey)).all() == []
    last = news(database)[-1]
    assert (last.id, last.state) == (incident.id, "auto_cleared")


def test_clear_leaves_the_confirmed_to_its_people(database: Database) -> None:
    (incident,) = apply(database, signal())
    with database.write() as session:
        actions.take_step(session, incident.id, Step(State.CONFIRMED), OPERATOR, START)
        assert said_alone(session, COMPOUND, Clear("R-E01", KEY, START)) is None
        assert session.get_one(Incident, incident.id).state == State.CONFIRMED
    apply(database, signal(10))
    assert count(database, Incident) == 2


@pytest.mark.parametrize(
    ("key", "offset", "compound"),
    [("R-E01:elsewhere", 0, COMPOUND), (KEY, -1, COMPOUND), (KEY, 0, "poplar")],
    ids=["other_key", "older_than_the_signal", "other_compound"],
)
def test_clear_ends_nothing_else(database: Database, key: str, offset: float, compound: str) -> None:
    apply(database, signal())
    with database.write() as session:
        clearing = Clear("R-E01", key, START + dt.timedelta(seconds=offset))
        assert said_alone(session, compound, clearing) is None
        assert session.scalars(select(Incident.state)).one() == State.RAISED


def test_ended_incident_takes_no_further_signal(database: Database) -> None:
    (first,) = apply(database, signal())
    with database.write() as session:
        step = Step(State.FALSE_ALARM, reason=FalseAlarmReason.COURIER)
        actions.take_step(session, first.id, step, OPERATOR, START)
    (second,) = apply(database, signal(1))
    assert second.id != first.id


def at_once(*works: Callable[[], None]) -> None:
    """Runs all of them in threads of their own that start together."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        start.wait(timeout=30)
        work()

    with ThreadPoolExecutor(len(works)) as pool:
        for future in [pool.submit(run, work) for work in works]:
            future.result(timeout=60)


@pytest.mark.parametrize("rounds", [8])
def test_two_hands_that_raise_the_same_at_once_make_one_incident(
    each_database: Database, rounds: int
) -> None:
    def write(one: Signal) -> Callable[[], None]:
        def work() -> None:
            try:
                apply(each_database, one)
            except IntegrityError:
                # The database let the other one through; a desk tries again, and so do we.
                apply(each_database, one)

        return work

    for number in range(rounds):
        key = f"R-E01:lane-{number}"
        at_once(write(signal(0, key=key)), write(signal(1, key=key)))
    with each_database.read() as session:
        made = session.execute(select(Incident.signal_count, Incident.version)).all()
    assert made == [(2, 2)] * rounds
    assert (count(each_database, Evidence), count(each_database, Transition)) == (2 * rounds, rounds)
    assert len(news(each_database)) == 2 * rounds


def test_two_desks_that_hear_the_same_at_once_write_it_once(each_database: Database) -> None:
    """As in a hand-over, when the old process has not noticed yet that it is no longer the one."""
    world = World(each_database)
    desks = [world.new_desk(), world.new_desk()]
    for number in range(5):
        moment = START + dt.timedelta(minutes=10 * number)
        world.clock.moment = moment
        message = door_forced()(moment, moment, False)

        def hear(desk, message=message) -> None:
            try:
                desk.handle(message)
            except IntegrityError:
                desk.tick()

        at_once(*(lambda desk=desk: hear(desk) for desk in desks))
    assert [incident.signal_count for incident in world.incidents()] == [1] * 5
    assert len(world.evidence()) == 5
    assert len(news(each_database)) == 5

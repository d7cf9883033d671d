"""The life cycle: every pair of states, and walks at random."""

import datetime as dt
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from timeline import COMPOUND, START, World, at, door_opened, event, expect, raised
from timeline import OPERATOR as ACTOR

from alerts.incidents import actions
from alerts.incidents.lifecycle import (
    STEPS,
    Comparison,
    FalseAlarmReason,
    ReopenReason,
    State,
    Step,
    StepRefusedError,
    check,
)
from alerts.incidents.models import Incident, Transition
from alerts.incidents.record import IncidentNotFoundError, StaleVersionError
from storage import Database, audit, new_id
from storage.audit import AuditRow
from tests.support.reviews import reviewed

# The procedure, written down a second time on purpose: who changes the table changes the test.
LAWFUL = {
    (State.RAISED, State.ACKNOWLEDGED),
    (State.RAISED, State.CONFIRMED),
    (State.RAISED, State.FALSE_ALARM),
    (State.RAISED, State.AUTO_CLEARED),
    (State.ACKNOWLEDGED, State.CONFIRMED),
    (State.ACKNOWLEDGED, State.FALSE_ALARM),
    (State.ACKNOWLEDGED, State.AUTO_CLEARED),
    (State.CONFIRMED, State.DISPATCHED),
    (State.CONFIRMED, State.RESOLVED),
    (State.DISPATCHED, State.ACCEPTED),
    (State.DISPATCHED, State.RESOLVED),
    (State.ACCEPTED, State.EN_ROUTE),
    (State.ACCEPTED, State.ARRIVED),
    (State.ACCEPTED, State.DISPATCHED),
    (State.ACCEPTED, State.RESOLVED),
    (State.EN_ROUTE, State.ARRIVED),
    (State.EN_ROUTE, State.DISPATCHED),
    (State.EN_ROUTE, State.RESOLVED),
    (State.ARRIVED, State.RESOLVED),
    (State.ARRIVED, State.FALSE_ALARM),
    (State.RESOLVED, State.REVIEWED),
    (State.RESOLVED, State.REOPENED),
    (State.REVIEWED, State.CLOSED),
    (State.REVIEWED, State.REOPENED),
    (State.REOPENED, State.DISPATCHED),
    (State.REOPENED, State.RESOLVED),
    (State.REOPENED, State.FALSE_ALARM),
}
CLOSED = event("door.closed", "hall")
REASONS = {State.FALSE_ALARM: FalseAlarmReason.COURIER, State.REOPENED: ReopenReason.NOT_DONE}
# Merged is an end that no step leads to: see test_merging.
ENDS = {State.CLOSED, State.FALSE_ALARM, State.AUTO_CLEARED, State.MERGED}


@pytest.mark.parametrize(("current", "to"), itertools.product(State, State), ids=lambda state: state.value)
def test_only_the_procedures_steps_are_taken(current: State, to: State) -> None:
    step = Step(to, reason=REASONS.get(to))
    if (current, to) in LAWFUL:
        check(current, step, needs_comparison=False)
    else:
        with pytest.raises(StepRefusedError) as refused:
            check(current, step, needs_comparison=False)
        assert (refused.value.current, refused.value.to, refused.value.code) == (current, to, "not_from_here")


def test_ends_are_ends() -> None:
    assert {state for state in State if not state.is_open} == ENDS
    assert {state for state, steps in STEPS.items() if not steps} == ENDS


def test_every_state_can_still_reach_an_end() -> None:
    for state in State:
        reached, edge = {state}, {state}
        while edge:
            edge = set().union(*(STEPS[one] for one in edge)) - reached
            reached |= edge
        assert reached & ENDS


@pytest.mark.parametrize("reason", [None, ReopenReason.NOT_DONE])
@pytest.mark.parametrize("current", [State.RAISED, State.ACKNOWLEDGED, State.ARRIVED, State.REOPENED])
def test_false_alarm_needs_a_reason_of_its_own(current: State, reason: ReopenReason | None) -> None:
    with pytest.raises(StepRefusedError) as refused:
        check(current, Step(State.FALSE_ALARM, reason=reason), needs_comparison=False)
    assert refused.value.code == "reason_required"


@pytest.mark.parametrize("reason", [None, FalseAlarmReason.COURIER])
@pytest.mark.parametrize("current", [State.RESOLVED, State.REVIEWED])
def test_reopening_needs_a_reason_of_its_own(current: State, reason: FalseAlarmReason | None) -> None:
    with pytest.raises(StepRefusedError) as refused:
        check(current, Step(State.REOPENED, reason=reason), needs_comparison=False)
    assert refused.value.code == "reason_required"


@pytest.mark.parametrize(
    ("comparison", "code"),
    [
        (None, "comparison_required"),
        (Comparison.NOT_MATCH, "comparison_negative"),
        (Comparison.CANNOT_TELL, "comparison_negative"),
        (Comparison.MATCH, None),
    ],
)
@pytest.mark.parametrize("current", [State.RAISED, State.ACKNOWLEDGED])
def test_machines_word_is_confirmed_only_by_a_positive_comparison(
    current: State, comparison: Comparison | None, code: str | None
) -> None:
    step = Step(State.CONFIRMED, comparison=comparison)
    if code is None:
        check(current, step, needs_comparison=True)
        return
    with pytest.raises(StepRefusedError) as refused:
        check(current, step, needs_comparison=True)
    assert refused.value.code == code


def an_incident(state: State = State.RAISED, *, needs_comparison: bool = False) -> Incident:
    return Incident(
        id=new_id(),
        compound=COMPOUND,
        rule="R-E09",
        kind="watchlist.hit",
        ring="entrance",
        zone="gate",
        device_id="gate-camera",
        lane="gate",
        severity=3,
        state=state,
        version=1,
        happened_at=START,
        raised_at=START,
        last_signal_at=START,
        signal_count=1,
        active_key=None,
        needs_comparison=needs_comparison,
        reason="watchlist_hit",
        reason_args={},
    )


@given(
    wanted=st.lists(
        st.builds(
            Step,
            st.sampled_from(State),
            st.none() | st.sampled_from(FalseAlarmReason) | st.sampled_from(ReopenReason),
            st.none() | st.sampled_from(Comparison),
        ),
        max_size=15,
    ),
    needs_comparison=st.booleans(),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_walk_is_lawful_recorded_and_ends_once(
    database: Database, wanted: list[Step], *, needs_comparison: bool
) -> None:
    incident = an_incident(needs_comparison=needs_comparison)
    key = incident.id
    taken: list[State] = []
    with database.write() as session:
        session.add(incident)
        session.flush()
        for number, step in enumerate(wanted):
            try:
                actions.take_step(session, key, step, ACTOR, START + dt.timedelta(seconds=number))
            except StepRefusedError:
                continue
            taken.append(step.to)
        rows = list(
            session.scalars(select(Transition).where(Transition.incident == key).order_by(Transition.version))
        )
        trail = list(session.scalars(select(AuditRow).where(AuditRow.subject == key).order_by(AuditRow.seq)))
        state, version, comparison = incident.state, incident.version, incident.comparison

    assert [row.to_state for row in rows] == taken
    assert [row.version for row in rows] == list(range(2, 2 + len(taken)))
    assert version == 1 + len(taken)
    assert state == (taken[-1] if taken else State.RAISED)
    assert sum(one in ENDS for one in taken) <= 1
    assert not any(one in ENDS for one in taken[:-1])
    # A chain without a gap, in time, each link with somebody who made it.
    assert [row.from_state for row in rows] == [State.RAISED, *taken][: len(rows)]
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    assert all((row.actor, row.role) == (ACTOR.id, ACTOR.role) for row in rows)
    assert [row.action for row in trail] == [f"incident.{one}" for one in taken]
    if needs_comparison and State.CONFIRMED in taken:
        assert comparison == Comparison.MATCH


def test_step_on_an_old_version_is_refused_and_names_the_present_one(database: Database) -> None:
    incident = an_incident()
    with database.write() as session:
        session.add(incident)
        session.flush()
        actions.take_step(session, incident.id, Step(State.ACKNOWLEDGED), ACTOR, START, expected_version=1)
    with database.write() as session, pytest.raises(StaleVersionError) as stale:
        actions.take_step(session, incident.id, Step(State.CONFIRMED), ACTOR, START, expected_version=1)
    assert stale.value.current_version == 2


def test_step_counts_on_the_row_as_it_is_and_not_as_it_was_read(on_postgres: Database) -> None:
    incident = an_incident()
    with on_postgres.write() as session:
        session.add(incident)
    with on_postgres.write() as slow:
        read = slow.get_one(Incident, incident.id)
        with on_postgres.write() as quick:
            actions.take_step(quick, incident.id, Step(State.ACKNOWLEDGED), ACTOR, START, expected_version=1)
        with pytest.raises(StaleVersionError):
            actions.take_step(slow, incident.id, Step(State.CONFIRMED), ACTOR, START, expected_version=1)
        assert read.state == State.ACKNOWLEDGED


def test_step_of_an_unknown_incident_is_refused(database: Database) -> None:
    with database.write() as session, pytest.raises(IncidentNotFoundError):
        actions.take_step(session, "nobody", Step(State.ACKNOWLEDGED), ACTOR, START)


def test_reason_comparison_and_note_are_kept_and_the_chain_holds(world: World, database: Database) -> None:
    world.about = frozenset({"R-B05"})
    world.play(at(+0, door_opened("hall")), at(+1, CLOSED), expect(+6, raised("R-B05", severity=2)))
    key = world.incident().id
    with database.write() as session:
        actions.take_step(session, key, Step(State.CONFIRMED, comparison=Comparison.MATCH), ACTOR, START)
        actions.take_step(session, key, Step(State.RESOLVED), ACTOR, START, note="lock mended")
        reviewed(session, key, START)
        actions.take_step(session, key, Step(State.REVIEWED), ACTOR, START)
        actions.take_step(session, key, Step(State.CLOSED), ACTOR, START)
    incident = world.incident()
    assert (incident.comparison, incident.resolution) == ("match", "lock mended")
    with database.read() as session:
        assert audit.verify(session) is None
        first = session.scalars(select(Transition).order_by(Transition.version)).first()
        assert (first.from_state, first.to_state, first.actor) == (None, State.RAISED, "system")


def test_closed_incident_takes_no_further_signal(world: World, database: Database) -> None:
    world.about = frozenset({"R-B05"})
    world.play(at(+0, door_opened("hall")), at(+1, CLOSED), expect(+6, raised("R-B05", severity=2)))
    with database.write() as session:
        actions.take_step(
            session,
            world.incident().id,
            Step(State.FALSE_ALARM, reason=FalseAlarmReason.SENSOR_FAULT),
            ACTOR,
            START,
        )
    world._news()
    world.play(at(+100, door_opened("hall")), at(+101, CLOSED), expect(+106, raised("R-B05", severity=2)))
    assert world.incidents()[0].false_alarm_reason == "sensor_fault"

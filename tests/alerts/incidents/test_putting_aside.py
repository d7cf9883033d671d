"""Putting an incident aside: never the critical, never for too long, nothing suspended, and it comes back."""

import datetime as dt

import pytest
from saying import moment, path_of, raise_one
from timeline import OPERATOR

from alerts.incidents import actions, putting_aside, timers
from alerts.incidents.aside import Aside, AsideReason, Back, back, choices, refusal
from alerts.incidents.lifecycle import FalseAlarmReason, State, Step, StepRefusedError
from alerts.incidents.models import Incident, IncidentAside
from alerts.incidents.record import StaleVersionError
from storage import Database

MIN = dt.timedelta(minutes=1)
WHY = AsideReason.ANSWER_AWAITED


@pytest.mark.parametrize(("severity", "most"), [(2, 5), (3, 30), (4, 240)])
def test_each_severity_has_its_limit(severity: int, most: int) -> None:
    assert refusal(State.RAISED, severity, WHY, most * MIN) is None
    assert refusal(State.RAISED, severity, WHY, most * MIN + MIN) == "aside_too_long"
    assert refusal(State.RAISED, severity, WHY, 0 * MIN) == "aside_too_long"
    assert choices(severity)[-1] == most


def test_critical_is_never_put_aside() -> None:
    assert refusal(State.ACKNOWLEDGED, 1, WHY, MIN) == "aside_never"
    assert choices(1) == ()


@pytest.mark.parametrize("state", [state for state in State if not state.grows])
def test_what_is_done_is_not_put_aside(state: State) -> None:
    assert refusal(state, 3, WHY, MIN) == "aside_not_open"


def test_reason_is_asked_for() -> None:
    assert refusal(State.RAISED, 3, None, MIN) == "aside_reason_required"


def test_graver_comes_back_before_new_evidence_and_both_before_the_time() -> None:
    put = Aside(moment(60), severity=3, signal_count=1)
    assert back(put, 3, 1, moment(59)) is None
    assert back(put, 3, 1, moment(60)) is Back.TIME_OVER
    assert back(put, 3, 2, moment(10)) is Back.NEW_EVIDENCE
    assert back(put, 2, 2, moment(10)) is Back.GRAVER
    # Less grave than it was is no reason.
    assert back(put, 4, 1, moment(10)) is None


@pytest.fixture
def incident(database: Database) -> Incident:
    return raise_one(database, "lane-1", severity=3)


def aside(database: Database) -> list[str]:
    with database.read() as session:
        return [row.incident for row in session.query(IncidentAside)]


def put(database: Database, incident: Incident, at: float, minutes: int = 10, **more: int) -> None:
    with database.write() as session:
        putting_aside.put_aside(session, incident.id, WHY, minutes * MIN, OPERATOR, moment(at), **more)


def sweep(database: Database, at: float) -> int:
    with database.write() as session:
        return putting_aside.sweep(session, moment(at))


def reasons(database: Database, incident: Incident) -> list[str | None]:
    return [step.reason for step in path_of(database, incident)]


def test_it_comes_back_when_its_time_is_over_and_the_history_says_both(database, incident) -> None:
    put(database, incident, 5)
    assert sweep(database, 604) == 0
    assert aside(database) == [incident.id]
    assert sweep(database, 605) == 1
    assert aside(database) == []
    assert reasons(database, incident) == [None, "put_aside", "back_time_over"]
    note = path_of(database, incident)[1].note
    assert note == f"{(moment(5) + 10 * MIN).isoformat()} answer_awaited"
    assert sweep(database, 700) == 0


def test_nothing_that_runs_out_is_held_up(database, incident) -> None:
    put(database, incident, 5)
    with database.write() as session:
        # The first look was due 5 min after the alarm, aside or not.
        assert session.get_one(Incident, incident.id).due_at == moment(300)
        assert timers.sweep(session, moment(300)) == 1
    assert reasons(database, incident)[-1] == "timeout_acknowledge"
    assert aside(database) == [incident.id]


def test_new_evidence_brings_it_back_at_once(database, incident) -> None:
    put(database, incident, 5)
    with database.write() as session:
        session.get_one(Incident, incident.id).signal_count += 1
    assert sweep(database, 6) == 1
    assert reasons(database, incident)[-1] == "back_new_evidence"


def test_graver_brings_it_back_at_once(database, incident) -> None:
    put(database, incident, 5)
    with database.write() as session:
        session.get_one(Incident, incident.id).severity = 1
    assert sweep(database, 6) == 1
    assert reasons(database, incident)[-1] == "back_graver"


def test_what_ended_meanwhile_is_aside_no_more_and_says_nothing_of_it(database, incident) -> None:
    put(database, incident, 5)
    with database.write() as session:
        step = Step(State.FALSE_ALARM, reason=FalseAlarmReason.COURIER)
        actions.take_step(session, incident.id, step, OPERATOR, moment(7))
    assert sweep(database, 8) == 1
    assert aside(database) == []
    assert reasons(database, incident)[-1] == "courier"


def test_it_is_taken_back_once(database, incident) -> None:
    put(database, incident, 5)
    with database.write() as session:
        putting_aside.take_back(session, incident.id, OPERATOR, moment(9))
    assert reasons(database, incident)[-1] == "back_taken"
    with database.write() as session, pytest.raises(StepRefusedError, match="aside_not_aside"):
        putting_aside.take_back(session, incident.id, OPERATOR, moment(10))


def test_second_hand_on_the_same_version_is_refused(database, incident) -> None:
    put(database, incident, 5, expected_version=incident.version)
    with pytest.raises(StaleVersionError):
        put(database, incident, 6, expected_version=incident.version)


def test_putting_aside_again_sets_another_end(database, incident) -> None:
    put(database, incident, 5, minutes=2)
    put(database, incident, 60, minutes=10)
    assert sweep(database, 130) == 0
    assert sweep(database, 660) == 1

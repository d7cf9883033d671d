"""The table of the compound's incident procedure, row by row: what is waited for, how long, who hears of it.

Each story says everything that anybody is told: one letter more fails it.
"""

import datetime as dt

import pytest
from night import DESK, SQUARE, Night

from alerts.incidents.deadlines import LIMITS, Timer
from alerts.incidents.lifecycle import (
    Comparison,
    FalseAlarmReason,
    ReopenReason,
    State,
    StepRefusedError,
)

MINUTE, HOUR = 60, 3600
SEVERITIES = pytest.mark.parametrize("severity", [1, 2, 3])

# The table of the procedure once more, apart from the code: seconds by severity.
TABLE = {
    Timer.ACKNOWLEDGE: {1: 20, 2: 60, 3: 5 * MINUTE},
    Timer.CONFIRM: {1: 40, 2: 2 * MINUTE, 3: 15 * MINUTE},
    Timer.DISPATCH: {1: 20, 2: MINUTE, 3: 10 * MINUTE},
    Timer.ACCEPT: {1: 30, 2: MINUTE, 3: 10 * MINUTE},
    Timer.ARRIVE: {1: 3 * MINUTE, 2: 5 * MINUTE, 3: 30 * MINUTE},
    Timer.RESOLVE: {1: 30 * MINUTE, 2: HOUR, 3: 24 * HOUR},
    Timer.REVIEW: {1: 24 * HOUR, 2: 48 * HOUR, 3: 7 * 24 * HOUR},
}


def test_the_limits_are_those_of_the_table() -> None:
    written = {
        timer: {severity: limit.total_seconds() for severity, limit in LIMITS[timer].items()}
        for timer in TABLE
    }
    assert written == TABLE


def raised(night: Night, severity: int, **more: object) -> str:
    """Somebody loiters at the square; the control room has heard of it."""
    incident = night.raises("loitering", severity=severity, **more)
    if severity > 2:
        # What is no hurry waits a moment for its like.
        night.silence()
        night.passes(10)
    night.all_hear("incident", incident, *DESK)
    night.silence()
    return incident


def confirmed(night: Night, severity: int) -> str:
    incident = raised(night, severity)
    night.acknowledges(incident)
    night.silence()
    night.confirms(incident)
    if severity > 2:
        night.passes(10)
    night.all_hear("incident", incident, *SQUARE)
    night.silence()
    return incident


def arrived(night: Night, severity: int) -> str:
    incident = confirmed(night, severity)
    night.sends(incident, "guard-1", "guard-2")
    night.all_hear("offer", incident, "guard-1", "guard-2")
    night.answers("guard-1", "accept", incident)
    night.hears("guard-2", "taken", incident)
    night.answers("guard-2", "assist", incident)
    night.answers("guard-1", "depart", incident)
    night.answers("guard-1", "arrive", incident)
    night.answers("guard-2", "depart", incident)
    night.answers("guard-2", "arrive", incident)
    night.silence()
    return incident


@SEVERITIES
def test_raised_nobody_acknowledges_the_control_room_then_its_lead_then_the_manager(
    night: Night, severity: int
) -> None:
    incident = raised(night, severity)
    limit = TABLE[Timer.ACKNOWLEDGE][severity]
    # Said 10 s ago where it had waited for its like.
    night.passes(limit - (10 if severity > 2 else 0) - 1)
    night.silence()
    night.passes(1)
    night.all_hear("escalation", incident, *DESK)
    again = MINUTE if severity == 1 else limit
    night.passes(again - 1)
    night.silence()
    night.passes(1)
    night.hears("op-lead", "escalation", incident)
    night.passes(again)
    night.hears("manager", "escalation", incident)
    assert night.path(incident)[1:] == [("raised", "timeout_acknowledge")] * 3


@SEVERITIES
def test_acknowledged_in_time_nobody_hears_anything_more(night: Night, severity: int) -> None:
    incident = raised(night, severity)
    night.passes(5)
    night.acknowledges(incident, "op-2")
    night.passes(TABLE[Timer.CONFIRM][severity] - 1)
    night.silence()


@SEVERITIES
def test_acknowledged_and_left_lying_comes_to_the_others_at_the_desk(night: Night, severity: int) -> None:
    """An acknowledgement is no answer for ever."""
    incident = raised(night, severity)
    night.acknowledges(incident)
    night.passes(TABLE[Timer.CONFIRM][severity])
    night.all_hear("escalation", incident, "op-2", "op-lead")
    assert night.path(incident)[-1] == ("acknowledged", "timeout_confirm")


@SEVERITIES
def test_confirmed_and_nobody_is_sent_comes_to_the_others_at_the_desk(night: Night, severity: int) -> None:
    incident = confirmed(night, severity)
    night.passes(TABLE[Timer.DISPATCH][severity] - (10 if severity > 2 else 0))
    night.all_hear("escalation", incident, "op-2", "op-lead")
    assert night.dispatches(incident) == {}


@SEVERITIES
def test_nobody_accepts_the_next_are_asked_then_other_teams(night: Night, severity: int) -> None:
    incident = confirmed(night, severity)
    limit = TABLE[Timer.ACCEPT][severity]
    night.sends(incident, "volunteer-1", "volunteer-2")
    night.all_hear("offer", incident, "volunteer-1", "volunteer-2")
    night.passes(limit - 1)
    night.silence()
    night.passes(1)
    night.all_hear("offer", incident, "volunteer-lead", "guard-1")
    night.all_hear("escalation", incident, *DESK)
    night.passes(limit)
    night.all_hear("offer", incident, "grid", "guard-2")
    night.forgets()
    night.passes(limit)
    # By now it is another team's.
    night.hears("medic-1", "offer", incident)
    night.forgets()
    assert set(night.dispatches(incident).values()) == {"offered"}


@SEVERITIES
def test_who_accepted_and_does_not_come_is_called(night: Night, severity: int) -> None:
    incident = confirmed(night, severity)
    night.sends(incident, "guard-1", "guard-2")
    night.answers("guard-1", "accept", incident)
    night.answers("guard-2", "assist", incident)
    night.forgets()
    night.passes(TABLE[Timer.ARRIVE][severity])
    night.hears("guard-1", "escalation", incident)
    night.all_hear("escalation", incident, *DESK)
    night.forgets()
    assert night.path(incident)[-1] == ("accepted", "timeout_arrive")


@SEVERITIES
def test_arrived_and_not_resolved_comes_to_the_supervisor(night: Night, severity: int) -> None:
    incident = arrived(night, severity)
    night.passes(TABLE[Timer.RESOLVE][severity])
    night.hears("op-lead", "escalation", incident)
    assert night.path(incident)[-1] == ("arrived", "timeout_resolve")


@SEVERITIES
def test_resolved_and_not_reviewed_comes_to_the_supervisor_once(night: Night, severity: int) -> None:
    incident = arrived(night, severity)
    night.answers("guard-1", "resolve", incident)
    # Who is there, too, is done with the leader, and need not be told.
    night.silence()
    night.passes(TABLE[Timer.REVIEW][severity] + HOUR)
    assert night.hears("op-lead", "review", incident).arguments["why"] == "review_late"
    night.silence()
    # On the first of the month it is on the list of those that wait, with all the others.
    night.passes(30 * 24 * HOUR - TABLE[Timer.REVIEW][severity])
    (monthly,) = night.phones.heard
    assert (monthly.who, monthly.letter.incident) == ("op-lead", None)
    night.forgets()
    assert night.incident(incident).state == State.RESOLVED


def test_a_notice_has_no_timer_and_wakes_nobody_but_its_first_readers(night: Night) -> None:
    incident = night.raises("loitering", severity=4)
    assert night.incident(incident).due_at is None
    night.passes(30)
    night.all_hear("incident", incident, *DESK)
    night.passes(10 * MINUTE)
    night.silence()


def test_a_button_of_the_plan_list_confirms_itself_and_the_best_are_asked_at_once(night: Night) -> None:
    incident = night.raises("sos", severity=1, rule="R-C08", confirm_alone=frozenset({"R-C08"}))
    assert night.path(incident) == [("raised", None), ("confirmed", "sensor"), ("dispatched", "sensor")]
    asked = night.dispatches(incident)
    assert set(asked) == {"volunteer-1", "volunteer-2", "volunteer-lead"}
    # Who is asked to go hears that, and not the same thing twice.
    night.all_hear("offer", incident, *asked)
    night.all_hear("incident", incident, *DESK, "guard-1", "guard-2")
    night.silence()


def test_a_biometric_cause_sends_nobody_by_itself_and_waits_for_a_comparison(night: Night) -> None:
    incident = raised(night, 2, needs_comparison=True)
    night.acknowledges(incident)
    with pytest.raises(StepRefusedError, match="comparison_required"):
        night.confirms(incident)
    with pytest.raises(StepRefusedError, match="comparison_negative"):
        night.confirms(incident, comparison=Comparison.NOT_MATCH)
    night.passes(TABLE[Timer.CONFIRM][2])
    night.all_hear("escalation", incident, "op-2", "op-lead")
    assert night.dispatches(incident) == {}
    night.confirms(incident, comparison=Comparison.MATCH)
    night.all_hear("incident", incident, *SQUARE)
    night.passes(TABLE[Timer.DISPATCH][2])
    night.all_hear("escalation", incident, "op-2", "op-lead")
    assert night.dispatches(incident) == {}


@pytest.mark.parametrize("at", [State.RAISED, State.ACKNOWLEDGED, State.ARRIVED])
def test_a_false_alarm_has_a_reason_and_ends_what_was_under_way(night: Night, at: State) -> None:
    incident = arrived(night, 2) if at is State.ARRIVED else raised(night, 2)
    if at is State.ACKNOWLEDGED:
        night.acknowledges(incident)
    with pytest.raises(StepRefusedError, match="reason_required"):
        night.step(incident, State.FALSE_ALARM)
    night.step(incident, State.FALSE_ALARM, reason=FalseAlarmReason.ANIMAL)
    if at is State.ARRIVED:
        night.all_hear("called_off", incident, "guard-1", "guard-2")
        assert set(night.dispatches(incident).values()) == {"cancelled"}
    night.passes(HOUR)
    night.silence()


def test_what_was_done_and_was_not_over_is_reopened_and_somebody_is_sent_again(night: Night) -> None:
    incident = arrived(night, 2)
    night.answers("guard-1", "resolve", incident)
    night.step(incident, State.REOPENED, reason=ReopenReason.HAPPENED_AGAIN)
    night.forgets()
    night.sends(incident, "guard-1")
    night.hears("guard-1", "offer", incident)
    assert night.dispatches(incident)["guard-1"] == "offered"


def test_every_step_has_an_actor_and_times_never_go_back(night: Night) -> None:
    incident = arrived(night, 1)
    night.clock.moment -= dt.timedelta(hours=1)
    night.answers("guard-1", "resolve", incident)
    steps = night.steps(incident)
    assert all(step.actor and step.role for step in steps)
    assert [step.version for step in steps] == sorted(step.version for step in steps)
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert [step.to_state for step in steps].count(State.RESOLVED) == 1

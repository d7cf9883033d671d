"""Who is asked, does not answer, says no, goes, is alone or needs help: what follows, by when, and no more."""

import datetime as dt

import pytest
from sqlalchemy import select
from timeline import OPERATOR, START

from alerts.dispatch import actions
from alerts.dispatch.actions import DispatchRefusedError
from alerts.dispatch.models import Arrival, Decline, Dispatch
from alerts.duty.models import TeamKind
from alerts.incidents.lifecycle import FalseAlarmReason, State
from alerts.incidents.models import Incident, Transition
from alerts.notify.models import Notification


def dispatch_of(climb, incident: str, name: str) -> Dispatch:
    with climb.database.read() as session:
        row = session.scalars(
            select(Dispatch).where(Dispatch.incident == incident, Dispatch.responder == name)
        ).one()
        session.expunge_all()
    return row


def confirmed(climb, severity: int = 2, **more: object) -> str:
    return climb.incident(severity, State.CONFIRMED, by=OPERATOR, **more)


# ── §4.3: dispatched → accepted ───────────────────────────────────────────────


def test_nobody_accepts_and_the_next_is_asked_then_other_teams_then_the_teams_lead_by_telephone(
    climb,
) -> None:
    incident = confirmed(climb)
    climb.send(incident, "vol-1", "vol-2")
    assert climb.told() == [("vol-1", "offer"), ("vol-2", "offer")]
    climb.passes(59)
    assert climb.told() == []
    climb.passes(1)
    told = climb.told()
    assert ("vol-3", "offer") in told
    # Both who kept silent are followed: the next of the team, and then the circle widens.
    assert ("guard-1", "offer") in told
    climb.passes(60)
    told = climb.told()
    assert ("steward-1", "escalation") in told
    asked = set(climb.states(incident))
    assert asked >= {"vol-1", "vol-2", "vol-3", "guard-1", "steward-1"}
    climb.passes(60)
    assert ("vol-lead", "escalation") in climb.told()
    with climb.database.read() as session:
        calls = session.scalars(select(Notification).where(Notification.responder == "vol-lead")).all()
        assert any(call.arguments.get("step") == "telephone_team" for call in calls)


def test_who_declines_is_followed_at_once_and_not_asked_again(climb) -> None:
    incident = confirmed(climb)
    climb.send(incident, "guard-1")
    climb.told()
    assert climb.does(incident, "guard-1", "decline") == "declined"
    told = climb.told()
    # A volunteer is not asked by themselves.
    assert told == [("vol-1", "offer"), ("vol-2", "offer")]
    climb.passes(61)
    assert climb.states(incident)["guard-1"] == "declined"


def test_volunteer_who_goes_off_duty_between_push_and_accept_is_thanked_and_the_next_is_asked(climb) -> None:
    incident = confirmed(climb)
    climb.send(incident, "vol-1", "guard-1")
    climb.does(incident, "guard-1", "decline")
    climb.told()
    climb.off_duty("vol-1")
    climb.passes(1)
    assert climb.does(incident, "vol-1", "accept") == "declined"
    assert dispatch_of(climb, incident, "vol-1").declined_for == Decline.OFF_DUTY
    assert climb.told() == [("vol-2", "offer"), ("vol-3", "offer")]
    assert climb.of(incident).state == State.DISPATCHED


def test_phone_that_acknowledges_twice_changes_nothing(climb) -> None:
    incident = confirmed(climb)
    climb.send(incident, "vol-1", "vol-2")
    climb.does(incident, "vol-1", "accept")
    before = (climb.of(incident).version, climb.states(incident), climb.standing())
    climb.told()
    assert climb.does(incident, "vol-1", "accept") == "accepted"
    assert (climb.of(incident).version, climb.states(incident), climb.standing()) == before
    assert climb.told() == []


def test_first_leads_and_the_others_hear_at_once_that_it_is_taken_and_may_go_along(climb) -> None:
    incident = confirmed(climb)
    climb.send(incident, "vol-1", "vol-2", "guard-1")
    climb.told()
    climb.does(incident, "vol-1", "accept")
    assert climb.told() == [("guard-1", "taken"), ("vol-2", "taken")]
    assert ("vol-2", "offer") not in climb.standing()
    with climb.database.read() as session:
        letters = session.scalars(select(Notification).where(Notification.purpose == "taken")).all()
        # One volunteer by themselves: a second one is wanted, and the letter says so.
        assert all(letter.arguments["second_wanted"] for letter in letters)
    assert climb.does(incident, "vol-2", "assist") == "assisting"
    assert climb.does(incident, "vol-2", "assist") == "assisting"
    assert climb.states(incident)["guard-1"] == "taken"


# ── nobody alone, nobody to violence ──────────────────────────────────────────


def test_volunteer_is_never_sent_alone(climb) -> None:
    incident = confirmed(climb)
    climb.send(incident, "vol-1")
    assert set(climb.states(incident)) == {"vol-1", "vol-2"}


def test_volunteer_with_nobody_to_go_along_is_refused(database) -> None:
    from climbing import Climb

    climb = Climb(database, "op-1", "vol-1")
    incident = confirmed(climb)
    with pytest.raises(DispatchRefusedError) as refused:
        climb.send(incident, "vol-1")
    assert refused.value.code == "volunteer_alone"
    assert climb.states(incident) == {}


def test_staff_may_be_called_in_from_home_and_volunteers_may_not(climb) -> None:
    climb.off_duty("guard-1")
    climb.off_duty("vol-1")
    climb.passes(1)
    incident = confirmed(climb)
    climb.send(incident, "guard-1")
    with pytest.raises(DispatchRefusedError) as refused:
        climb.send(incident, "vol-1")
    assert refused.value.code == "off_duty"


@pytest.mark.parametrize("kind", ["reported.violence", "duress"])
def test_volunteer_is_never_sent_to_violence_by_anybody(climb, kind: str) -> None:
    incident = confirmed(climb, 1, kind=kind)
    with pytest.raises(DispatchRefusedError) as refused:
        climb.send(incident, "vol-1", "vol-2")
    assert refused.value.code == "volunteer_violence"
    climb.send(incident, "guard-1")
    climb.does(incident, "guard-1", "decline")
    climb.passes(900, every=5)
    assert not any(name.startswith("vol") for name in climb.states(incident))


def test_volunteers_turn_back_when_it_turns_out_to_be_violence(climb) -> None:
    incident = confirmed(climb)
    climb.send(incident, "vol-1", "vol-2", "guard-1")
    climb.does(incident, "vol-1", "accept")
    climb.does(incident, "guard-1", "assist")
    climb.told()
    with climb.database.write() as session:
        from alerts.incidents.record import announce

        row = session.get_one(Incident, incident)
        row.kind, row.severity, row.version = "reported.violence", 1, row.version + 1
        announce(session, row, climb.now)
    climb.react()
    assert climb.states(incident) == {"vol-1": "cancelled", "vol-2": "cancelled", "guard-1": "accepted"}
    told = climb.told()
    assert ("vol-1", "called_off") in told
    assert dispatch_of(climb, incident, "guard-1").lead_of == incident


# ── a sensor sends at once ────────────────────────────────────────────────────


def test_sensor_that_confirmed_itself_sends_the_best_at_once(climb) -> None:
    incident = climb.incident(1, State.CONFIRMED, reason="sensor")
    assert climb.told() == [("vol-1", "offer"), ("vol-2", "offer"), ("vol-3", "offer")]
    assert climb.of(incident).state == State.DISPATCHED
    with climb.database.read() as session:
        last = session.scalars(select(Transition).order_by(Transition.version.desc())).first()
        assert (last.to_state, last.actor, last.reason) == (State.DISPATCHED, "system", "sensor")


def test_machine_that_named_somebody_sends_nobody(climb) -> None:
    incident = climb.incident(1, State.CONFIRMED, reason="sensor", needs_comparison=True)
    assert climb.told() == []
    assert climb.states(incident) == {}


def test_person_who_confirms_decides_whom_to_send(climb) -> None:
    incident = confirmed(climb, 1)
    assert climb.states(incident) == {}


# ── accepted → arrived ────────────────────────────────────────────────────────


def test_who_does_not_arrive_is_called_and_a_second_one_is_asked(climb) -> None:
    incident = confirmed(climb)
    climb.send(incident, "guard-1")
    climb.does(incident, "guard-1", "accept")
    climb.told()
    climb.passes(299)
    assert climb.told() == []
    climb.passes(1)
    told = climb.told()
    assert ("guard-1", "escalation") in told
    assert ("op-1", "escalation") in told
    assert ("vol-1", "offer") in told
    # Who comes second goes along; there is one lead.
    assert climb.does(incident, "vol-1", "accept") == "assisting"


def test_how_somebody_says_that_they_are_there_is_written_down(climb) -> None:
    incident = confirmed(climb)
    climb.send(incident, "guard-1")
    climb.does(incident, "guard-1", "accept")
    with climb.database.write() as session:
        key = session.scalars(select(Dispatch.id)).one()
        actions.arrive(session, key, "guard-1", climb.now, Arrival.CHECKPOINT)
    assert dispatch_of(climb, incident, "guard-1").arrived_by == Arrival.CHECKPOINT
    with climb.database.read() as session:
        last = session.scalars(select(Transition).order_by(Transition.version.desc())).first()
        assert (last.to_state, last.actor, last.reason) == (State.ARRIVED, "guard-1", "arrived_checkpoint")


def test_lead_is_handed_over_and_falls_to_who_goes_along(climb) -> None:
    incident = confirmed(climb)
    climb.send(incident, "guard-1", "vol-1", "vol-2")
    climb.does(incident, "guard-1", "accept")
    climb.does(incident, "vol-1", "assist")
    with pytest.raises(DispatchRefusedError):
        climb.does(incident, "guard-1", "hand_over", "vol-2")
    climb.does(incident, "guard-1", "hand_over", "vol-1")
    assert climb.states(incident) == {"guard-1": "assisting", "vol-1": "accepted", "vol-2": "taken"}
    climb.does(incident, "vol-1", "decline")
    assert climb.states(incident) == {"guard-1": "accepted", "vol-1": "declined", "vol-2": "taken"}
    assert climb.of(incident).state == State.ACCEPTED


# ── help, and who is alone ────────────────────────────────────────────────────


def test_call_for_help_reaches_operators_and_the_nearest_as_the_gravest_there_is(climb) -> None:
    incident = confirmed(climb, 3)
    climb.send(incident, "guard-1")
    climb.does(incident, "guard-1", "accept")
    climb.told()
    climb.does(incident, "guard-1", "need_help")
    told = climb.told()
    assert set(told) == {(name, "help") for name in ("op-1", "op-2", "vol-1", "vol-2", "vol-3")}
    with climb.database.read() as session:
        letters = session.scalars(select(Notification).where(Notification.purpose == "help")).all()
        assert all((letter.severity, letter.important) == (1, True) for letter in letters)
    climb.does(incident, "guard-1", "need_help")
    assert climb.told() == []
    # Who comes to help goes along.
    assert climb.does(incident, "vol-1", "accept") == "assisting"
    climb.does(incident, "guard-1", "all_right")
    assert ("op-1", "help") not in climb.standing()
    climb.does(incident, "guard-1", "need_help")
    assert ("op-1", "help") in climb.told()


def test_who_is_alone_is_asked_and_silence_is_a_call_for_help(climb) -> None:
    incident = confirmed(climb, 2)
    climb.send(incident, "guard-1")
    climb.does(incident, "guard-1", "accept")
    climb.does(incident, "guard-1", "arrive")
    climb.told()
    climb.passes(605)
    assert climb.told() == [("guard-1", "lone_worker")]
    climb.does(incident, "guard-1", "all_right")
    assert climb.standing() == []
    climb.passes(605)
    assert climb.told() == [("guard-1", "lone_worker")]
    climb.passes(110)
    assert climb.told() == []
    climb.passes(20)
    assert climb.told() == [("op-1", "help"), ("op-2", "help")]
    climb.passes(600)
    assert climb.told() == []


def test_two_who_are_there_together_are_not_asked(climb) -> None:
    incident = confirmed(climb, 2)
    climb.send(incident, "guard-1", "vol-1")
    climb.does(incident, "guard-1", "accept")
    climb.does(incident, "vol-1", "assist")
    climb.does(incident, "guard-1", "arrive")
    climb.does(incident, "vol-1", "arrive")
    climb.told()
    climb.passes(1800, every=5)
    assert climb.told() == []


# ── the end ───────────────────────────────────────────────────────────────────


def test_end_calls_off_who_was_asked_and_who_goes_and_nothing_is_still_to_be_told(climb) -> None:
    incident = confirmed(climb)
    climb.send(incident, "guard-1", "vol-1", "vol-2")
    climb.does(incident, "guard-1", "accept")
    climb.does(incident, "vol-1", "assist")
    climb.does(incident, "guard-1", "arrive")
    climb.told()
    climb.step(incident, State.FALSE_ALARM, reason=FalseAlarmReason.ANIMAL)
    # Who had only seen that it was taken hears nothing more.
    assert climb.told() == [("guard-1", "called_off"), ("vol-1", "called_off")]
    assert {purpose for _, purpose in climb.standing()} <= {"called_off"}
    climb.passes(3600, every=30)
    assert climb.told() == []


def test_duty_of_another_compound_or_a_past_one_does_not_count(climb) -> None:
    climb.off_duty("vol-1")
    climb.passes(1)
    incident = climb.incident(1, State.CONFIRMED, reason="sensor", team=TeamKind.VOLUNTEER_POLICE)
    assert "vol-1" not in climb.states(incident)
    assert climb.now > START + dt.timedelta(0)


def test_person_who_confirms_and_sends_nobody_is_climbed_over_and_the_system_sends_nobody(climb) -> None:
    incident = confirmed(climb, kind="person.loitering")
    climb.passes(60)
    assert climb.told() == [("op-1", "escalation"), ("op-2", "escalation")]
    climb.passes(120)
    assert climb.states(incident) == {}
    assert climb.of(incident).state == State.CONFIRMED

"""Mediators and their disputes: taken once, settled with an agreement, sealed for everybody else."""

import datetime as dt

import pytest

from alerts.duty.models import Shift
from alerts.incidents.lifecycle import State
from alerts.intake import disputes, upkeep
from alerts.intake.disputes import STEPS, Move
from alerts.intake.kinds import ReportKind
from alerts.intake.models import Dispute, DisputeState
from registry.errors import MissingError, RefusedError, StaleEditError

ACCEPTED, MEETING, SETTLED = DisputeState.ACCEPTED, DisputeState.MEETING, DisputeState.SETTLED


@pytest.fixture
def dispute(desk):
    desk.report(ReportKind.DISPUTE, responder="gu")
    desk.follow()
    [row] = desk.all(Dispute)
    return row.id


def move(desk, dispute, asked, who="mei", **more):
    def work(session):
        row = disputes.move(session, "willow", dispute, asked, who, desk.now, **more)
        session.flush()
        return row.version

    return desk.write(work)


def test_where_a_mediator_is_on_duty_the_routes_tell_them_and_nobody_is_woken(lite):
    lite.write(
        lambda session: session.add(
            Shift(
                id="s1",
                responder="mo",
                starts_at=lite.now - dt.timedelta(hours=1),
                ends_at=lite.now + dt.timedelta(hours=1),
            )
        )
    )
    lite.report(ReportKind.NOISE)
    lite.follow()
    assert lite.told() == []
    assert len(lite.all(Dispute)) == 1


def test_who_takes_it_has_it_and_the_incident_is_confirmed(desk, dispute):
    move(desk, dispute, Move(ACCEPTED))
    [row] = desk.all(Dispute)
    assert (row.mediator, row.accepted_at) == ("mei", desk.now)
    [incident] = desk.incidents()
    assert incident.state == State.CONFIRMED
    with pytest.raises(RefusedError) as refused:
        move(desk, dispute, Move(ACCEPTED), "mo")
    assert refused.value.code == "dispute_taken"
    # Twice by the same hand changes nothing.
    assert move(desk, dispute, Move(ACCEPTED)) == row.version


def test_a_settled_dispute_has_an_agreement_and_resolves_its_incident(desk, dispute):
    move(desk, dispute, Move(ACCEPTED, parties="301 与 401"))
    move(desk, dispute, Move(MEETING, meeting_at=desk.now + dt.timedelta(hours=5)))
    with pytest.raises(RefusedError) as refused:
        move(desk, dispute, Move(SETTLED))
    assert refused.value.code == "agreement_missing"
    later = desk.now.date() + dt.timedelta(days=14)
    move(desk, dispute, Move(SETTLED, agreement="22 点后不练琴", follow_up_on=later))
    [row] = desk.all(Dispute)
    assert (row.parties, row.agreement, row.follow_up_on) == ("301 与 401", "22 点后不练琴", later)
    assert row.ended_at == desk.now
    [incident] = desk.incidents()
    assert incident.state == State.RESOLVED
    assert incident.resolution is None
    desk.follow()
    assert ("gu", "done") in {(one.responder, one.arguments.get("stage")) for one in desk.told()}


def test_mediator_is_reminded_once_in_the_morning_of_the_day_they_set(desk, dispute):
    move(desk, dispute, Move(ACCEPTED))
    # The 25th at nine by the compound's clock.
    morning = dt.datetime(2026, 11, 25, 1, tzinfo=dt.UTC)
    move(desk, dispute, Move(SETTLED, agreement="22 点后不练琴", follow_up_on=dt.date(2026, 11, 25)))
    before = len(desk.told())

    def remind(at):
        desk.now = at
        desk.write(lambda session: upkeep.keep(session, at))
        return [one for one in desk.told() if one.arguments.get("why") == "dispute_follow_up"]

    assert remind(morning - dt.timedelta(seconds=1)) == []
    for at in (morning, morning + dt.timedelta(minutes=5), morning + dt.timedelta(days=40)):
        [told] = remind(at)
    assert (told.responder, told.arguments["dispute"], told.asked_at) == ("mei", dispute, morning)
    assert "练琴" not in str(told.arguments)
    assert len(desk.told()) == before + 1


def test_nobody_is_reminded_of_what_was_passed_on_or_of_a_day_long_past(desk, dispute):
    move(desk, dispute, Move(ACCEPTED, follow_up_on=desk.now.date()))
    desk.later(days=2)
    desk.write(lambda session: upkeep.keep(session, desk.now))
    move(desk, dispute, Move(DisputeState.PASSED_ON, follow_up_on=desk.now.date()))
    desk.write(lambda session: upkeep.keep(session, desk.now))
    assert not [one for one in desk.told() if one.arguments.get("why") == "dispute_follow_up"]


def test_what_the_parties_agreed_is_sealed_in_the_file(lite):
    lite.report(ReportKind.DISPUTE)
    lite.follow()
    [row] = lite.all(Dispute)
    move(lite, row.id, Move(ACCEPTED, parties="楼上楼下的秘密"))
    with lite.database.engine.connect() as connection:
        raw = connection.exec_driver_sql("SELECT parties FROM disputes").scalar()
    assert "秘密".encode() not in (raw if isinstance(raw, bytes) else str(raw).encode())


def test_nobody_but_a_mediator_moves_it(desk, dispute):
    for who in ("gu", "nobody"):
        with pytest.raises(MissingError):
            move(desk, dispute, Move(ACCEPTED), who)
    with pytest.raises(MissingError):
        move(desk, "no-dispute", Move(ACCEPTED))


def test_a_meeting_has_a_time_and_a_stale_hand_is_told(desk, dispute):
    version = move(desk, dispute, Move(ACCEPTED))
    with pytest.raises(RefusedError) as refused:
        move(desk, dispute, Move(MEETING))
    assert refused.value.code == "meeting_missing"
    with pytest.raises(StaleEditError):
        move(desk, dispute, Move(DisputeState.FAILED), expected_version=version - 1)
    with pytest.raises(RefusedError) as refused:
        move(desk, dispute, Move(DisputeState.FAILED, agreement="长" * 4001))
    assert refused.value.code == "dispute_text"


def test_every_state_is_reached_and_only_the_last_has_no_way_on():
    assert set(STEPS) == set(DisputeState)
    reached = {to for targets in STEPS.values() for to in targets}
    assert reached | {DisputeState.OPEN} == set(DisputeState)
    assert [state for state, targets in STEPS.items() if not targets] == [DisputeState.PASSED_ON]

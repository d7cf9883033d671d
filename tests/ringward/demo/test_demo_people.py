"""The evening's people: volunteers who do not answer, the second team that goes, the review, the hand-over."""

import datetime as dt

import pytest
from sqlalchemy import select

from alerts import reactions, rounds
from alerts.dispatch.models import Dispatch
from alerts.handover.models import Handover, HandoverSignature
from alerts.incidents import raising
from alerts.incidents.actions import take_step
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import State, Step
from alerts.incidents.models import Incident, Transition
from alerts.notify.models import Notification, Purpose
from alerts.review.models import IncidentReview, Measure, Need
from alerts.rules import Observation, Signal
from ringward.demo import DemoPeople
from ringward.demo.people import FIRST, SECOND
from ringward.demo.plan import COMPOUND, PREFIX
from ringward.followups import REACTIONS, ROUNDS


class Evening:
    """The demo's compound, its people, and everything that follows; seconds pass when the test says so."""

    def __init__(self, home) -> None:
        self.home = home
        self.people = DemoPeople(home.database, home.clock)
        self.failed: list[str] = []
        self.done: list[str] = []

    def raises(self, severity: int = 1, **more: object) -> str:
        now = self.home.clock.now()
        seen = Observation(
            id="forced",
            event_id="forced",
            type="door.forced",
            at=now,
            received_at=now,
            device=f"{PREFIX}-b09-door",
            zone=f"{PREFIX}-b09",
            ring="building",
        )
        given = {
            "rule": "R-B05",
            "kind": "door.forced",
            "severity": severity,
            "dedupe_key": "forced",
            "dedupe_window": dt.timedelta(minutes=10),
            "anchor": seen,
            "evidence": (seen,),
            "reason": "door_forced",
            "reason_args": {},
        }
        with self.home.database.write() as session:
            return raising.apply_all(session, COMPOUND, [Signal(**given | more)], now)[-1].incident.id

    def passes(self, seconds: int) -> None:
        for _ in range(seconds):
            self.home.clock.at += dt.timedelta(seconds=1)
            database, now = self.home.database, self.home.clock.now
            reactions.react(database, REACTIONS, now, self.failed.append)
            rounds.keep(database, ROUNDS, now, self.failed.append)
            if (done := self.people.look()) is not None:
                self.done.append(done)
        assert self.failed == []


@pytest.fixture
def evening(own_home) -> Evening:
    return Evening(own_home)


def test_the_escalation_reaches_the_second_team_which_goes_and_is_reviewed_and_handed_over(
    evening: Evening,
) -> None:
    incident = evening.raises(probable=True)
    evening.passes(330)
    home = evening.home
    row = next(one for one in home.rows(Incident) if one.id == incident)
    assert row.state == State.REVIEWED
    asked = {one.responder: one for one in home.rows(Dispatch)}
    assert set(FIRST) < set(asked)
    second = {one: asked[one] for one in SECOND if one in asked}
    first_asked = asked[FIRST[0]].offered_at
    assert all(one.offered_at >= first_asked + dt.timedelta(seconds=30) for one in second.values())
    led = next(one for one in home.rows(Transition) if one.to_state == State.ACCEPTED)
    assert led.actor in second
    assert any(one.purpose == Purpose.ESCALATION for one in home.rows(Notification))
    assert len(home.rows(IncidentReview)) == len(home.rows(Need)) == len(home.rows(Measure)) == 1
    (handover,) = home.rows(Handover)
    assert {(one.handover, one.side) for one in home.rows(HandoverSignature)} == {
        (handover.id, "outgoing"),
        (handover.id, "incoming"),
    }
    assert evening.done[-1] == "handed_over"


def test_who_takes_it_up_for_real_has_it_for_themselves(evening: Evening) -> None:
    incident = evening.raises()
    with evening.home.database.write() as session:
        somebody = Actor("somebody-real", "operator")
        take_step(session, incident, Step(State.ACKNOWLEDGED), somebody, evening.home.clock.now())
    evening.passes(60)
    assert evening.done == []


@pytest.mark.parametrize("severity", [2, 3])
def test_what_is_not_the_evenings_alarm_waits_for_somebody_real(evening: Evening, severity: int) -> None:
    evening.raises(severity)
    evening.passes(30)
    assert evening.done == []
    with evening.home.database.read() as session:
        assert session.scalars(select(Transition.actor)).all() == ["system"]

"""What the reporter hears, and what a report sets in motion."""

import pytest

from alerts.incidents.lifecycle import FalseAlarmReason, State
from alerts.incidents.models import Transition
from alerts.intake import reaction
from alerts.intake.kinds import Danger, ReportKind
from alerts.intake.models import Dispute, DisputeState, WorkOrder
from alerts.notify.models import Purpose
from alerts.reactions import Changed
from alerts.review.models import IncidentRating


def letters(desk, purpose=Purpose.REPORT):
    return sorted(
        (one.responder, one.arguments.get("stage")) for one in desk.told() if one.purpose == purpose
    )


def test_a_responder_who_reported_hears_when_it_is_seen_and_when_it_is_over(desk):
    incident = desk.report(ReportKind.THROWN_OBJECT, responder="gu").incident.id
    desk.follow()
    assert letters(desk) == []
    desk.step(incident, State.ACKNOWLEDGED)
    desk.step(incident, State.CONFIRMED)
    desk.follow()
    assert letters(desk) == [("gu", "seen")]
    desk.step(incident, State.RESOLVED)
    desk.follow()
    assert letters(desk) == [("gu", "done"), ("gu", "seen")]


def test_what_is_told_names_nobody(desk):
    incident = desk.report(ReportKind.FALL, responder="gu", person="p1", words="王某摔倒").incident.id
    desk.step(incident, State.ACKNOWLEDGED)
    desk.follow()
    [letter] = [one for one in desk.told() if one.purpose == Purpose.REPORT]
    assert set(letter.arguments) == {"stage", "kind", "zone", "report"}
    assert "王" not in str(letter.arguments)


def test_ten_reports_of_one_responder_are_one_letter_and_of_two_are_two(desk):
    incident = desk.report(ReportKind.FALL, responder="gu").incident.id
    desk.report(ReportKind.FALL, responder="gu")
    desk.report(ReportKind.FALL, by="u2", responder="pan")
    desk.report(ReportKind.FALL, by="u3", person="p1")
    desk.step(incident, State.ACKNOWLEDGED)
    desk.follow()
    assert letters(desk) == [("gu", "seen"), ("pan", "seen")]


def test_the_same_change_followed_twice_tells_nothing_twice(desk):
    incident = desk.report(ReportKind.DISPUTE, responder="gu").incident.id
    desk.step(incident, State.ACKNOWLEDGED)
    desk.follow()
    before = len(desk.told())
    [row] = [one for one in desk.incidents() if one.id == incident]

    def again(session):
        for step in session.query(Transition).filter_by(incident=incident):
            found = session.get_one(type(row), incident)
            reaction.follow(session, Changed(found, step.version, desk.now, step), desk.now)

    desk.write(again)
    assert len(desk.told()) == before
    assert len(desk.all(Dispute)) == 1


def test_a_wrong_report_is_thanked_for_and_nothing_else(desk):
    incident = desk.report(ReportKind.SUSPICIOUS, responder="gu").incident.id
    desk.step(incident, State.FALSE_ALARM, reason=FalseAlarmReason.COURIER)
    desk.follow()
    assert letters(desk) == [("gu", "nothing")]


@pytest.mark.parametrize("kind", [ReportKind.NOISE, ReportKind.DISPUTE])
def test_a_quarrel_goes_to_the_mediators(desk, kind):
    desk.report(kind)
    desk.follow()
    [dispute] = desk.all(Dispute)
    assert dispute.state == DisputeState.OPEN
    assert letters(desk, Purpose.INCIDENT) == [("mei", None), ("mo", None)]


@pytest.mark.parametrize("kind", [ReportKind.NOISE, ReportKind.DISPUTE])
def test_a_quarrel_with_violence_goes_to_no_mediator(desk, kind):
    desk.report(kind, danger=Danger.VIOLENCE)
    desk.follow()
    assert desk.all(Dispute) == []
    assert letters(desk, Purpose.INCIDENT) == []
    [incident] = desk.incidents()
    assert (incident.kind, incident.severity) == ("reported.violence", 1)


def test_a_quarrel_that_comes_to_violence_is_taken_from_the_mediators(desk):
    desk.report(ReportKind.DISPUTE)
    desk.follow()
    desk.report(ReportKind.DISPUTE, by="u2", danger=Danger.VIOLENCE)
    desk.follow()
    [dispute] = desk.all(Dispute)
    assert (dispute.state, dispute.ended_at) == (DisputeState.PASSED_ON, desk.now)


def test_what_is_damaged_becomes_a_work_order_at_once(desk):
    desk.report(ReportKind.DAMAGED, words="路灯不亮")
    desk.follow()
    [order] = desk.all(WorkOrder)
    assert (order.fault, order.building, order.state) == ("damaged", "b3", "open")
    assert letters(desk, Purpose.WORK_ORDER) == [("tian", None)]


def test_who_reported_is_asked_how_it_went(desk):
    incident = desk.report(ReportKind.FALL, responder="gu").incident.id
    desk.report(ReportKind.FALL, by="u2", person="p1")
    desk.step(incident, State.CONFIRMED)
    desk.step(incident, State.RESOLVED)
    desk.follow()
    asked = {(row.responder, row.person) for row in desk.all(IncidentRating)}
    assert asked == {("gu", None), (None, "p1")}

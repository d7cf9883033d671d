"""How right rules are by how operators ended their incidents, and what a person decides about it."""

import datetime as dt

import pytest

from alerts import mutes
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import FalseAlarmReason as Why
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.rulebook import health, heldback
from alerts.rulebook.current import of
from alerts.rulebook.versions import history, keep, newest
from registry.errors import RefusedError
from storage import new_id
from tests.support.compound import COMPOUND, ELSEWHERE

NOW = dt.datetime(2026, 11, 23, 4, tzinfo=dt.UTC)
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
CHEN = Actor("chen", "administrator")
FALSE = State.FALSE_ALARM


@pytest.fixture
def session(settled):
    with settled.write() as session:
        yield session


def raised(
    session, count, state=FALSE, reason=Why.COURIER, *, at=NOW - DAY, rule="R-E01", device="cam-1", **more
):
    for _ in range(count):
        fields = {
            "id": new_id(),
            "compound": COMPOUND,
            "rule": rule,
            "kind": "person.unknown_passed",
            "ring": "entrance",
            "zone": "gate",
            "device_id": device,
            "severity": 4,
            "state": state,
            "version": 1,
            "happened_at": at,
            "raised_at": at,
            "last_signal_at": at,
            "reason": "unknown_passed",
            "reason_args": {},
            "false_alarm_reason": reason if state is FALSE else None,
        }
        session.add(Incident(**fields | more))
    session.flush()


def tally(session, at=NOW):
    return {
        (one.rule, one.device): (one.raised, one.tally.judged, one.tally.false)
        for one in health.health(session, COMPOUND, at)
    }


def proposed(session, at=NOW):
    health.record(session, COMPOUND, health.survey(session, COMPOUND, at), at)
    return health.listed(session, COMPOUND, "open")


def test_counts_what_somebody_judged(session):
    raised(session, 3)
    raised(session, 2, State.RESOLVED)
    raised(session, 1, State.CLOSED)
    for silent in (State.RAISED, State.ACKNOWLEDGED, State.AUTO_CLEARED, State.MERGED):
        raised(session, 1, silent)
    raised(session, 1, reason=Why.TEST_DRILL)
    raised(session, 1, reason=Why.DUPLICATE)
    raised(session, 1, device="cam-2")
    raised(session, 1, compound=ELSEWHERE)
    assert tally(session) == {("R-E01", "cam-1"): (12, 6, 3), ("R-E01", "cam-2"): (1, 1, 1)}


def test_looks_back_seven_days(session):
    raised(session, 1, at=NOW - 7 * DAY)
    raised(session, 1, at=NOW - 7 * DAY + dt.timedelta(seconds=1))
    assert tally(session) == {("R-E01", "cam-1"): (1, 1, 1)}


def test_worst_comes_first(session):
    raised(session, 5, State.RESOLVED, device="cam-2")
    raised(session, 1)
    assert [one.device for one in health.health(session, COMPOUND, NOW)] == ["cam-1", "cam-2"]


def test_bad_rule_makes_one_proposal_with_its_grounds(session):
    raised(session, 20)
    raised(session, 2, State.RESOLVED)
    (row,) = proposed(session)
    assert (row.rule, row.device, row.advice) == ("R-E01", "cam-1", "parameter")
    assert (row.parameter, row.present, row.proposed) == ("window_s", 10, 13)
    assert (row.alarms, row.false_alarms, row.reasons) == (22, 20, {"courier": 20})
    again = proposed(session, NOW + HOUR)
    assert [one.id for one in again] == [row.id]


def test_approved_the_number_changes_and_comments_stay(session):
    text = "version = 1\n[rules.R-E01]\n# searched for long\nwindow_s = 12  # s\n"
    keep(session, COMPOUND, text, CHEN, NOW - 5 * DAY)
    raised(session, 25)
    (row,) = proposed(session)
    assert (row.present, row.proposed) == (12, 15)
    health.decide(session, COMPOUND, row.id, approve=True, by=CHEN, at=NOW)
    assert newest(session, COMPOUND).text == text.replace("= 12", "= 15")
    assert of(session, COMPOUND, NOW).entries["R-E01"].values == {"window_s": 15}
    assert (newest(session, COMPOUND).note, row.state, row.decided_by) == (
        f"proposal {row.id}",
        "approved",
        "chen",
    )
    with pytest.raises(RefusedError):
        health.decide(session, COMPOUND, row.id, approve=True, by=CHEN, at=NOW)


def test_approved_where_nothing_was_set_yet_the_commented_file_is_the_first_version(session):
    raised(session, 25)
    (row,) = proposed(session)
    health.decide(session, COMPOUND, row.id, approve=True, by=CHEN, at=NOW)
    assert of(session, COMPOUND, NOW).entries["R-E01"].values == {"window_s": 13}
    assert "# window_s = 10" in newest(session, COMPOUND).text


def test_refused_everything_stays_and_is_asked_anew_of_later_alarms_only(session):
    raised(session, 25)
    (row,) = proposed(session)
    health.decide(session, COMPOUND, row.id, approve=False, by=CHEN, at=NOW)
    assert (history(session, COMPOUND), proposed(session, NOW + HOUR)) == ([], [])
    raised(session, 19, at=NOW + HOUR)
    assert proposed(session, NOW + 2 * HOUR) == []
    raised(session, 1, at=NOW + HOUR)
    assert len(proposed(session, NOW + 2 * HOUR)) == 1


def test_changed_parameter_is_judged_anew_at_every_device(session):
    raised(session, 25)
    raised(session, 25, device="cam-2")
    # Of one parameter there is one proposal, however many devices speak for it.
    (row,) = proposed(session)
    health.decide(session, COMPOUND, row.id, approve=True, by=CHEN, at=NOW)
    assert proposed(session, NOW + HOUR) == []


def test_proposal_for_a_number_that_has_changed_since_is_overtaken(session):
    raised(session, 25)
    (row,) = proposed(session)
    keep(session, COMPOUND, "version = 1\n[rules.R-E01]\nwindow_s = 11\n", CHEN, NOW)
    with pytest.raises(RefusedError) as refused:
        health.decide(session, COMPOUND, row.id, approve=True, by=CHEN, at=NOW)
    assert refused.value.code == "rule_proposal_overtaken"
    (newer,) = proposed(session, NOW + HOUR)
    assert (newer.present, row.state) == (11, "overtaken")


def test_proposal_goes_when_the_rule_does_better(session):
    raised(session, 20)
    (row,) = proposed(session)
    raised(session, 20, State.RESOLVED)
    assert (proposed(session, NOW + HOUR), row.state) == ([], "overtaken")


def test_file_that_has_to_be_changed_by_hand_is_said_so(session):
    keep(session, COMPOUND, "version = 1\nrules.R-E01.enabled = true\n", CHEN, NOW - DAY)
    raised(session, 25)
    (row,) = proposed(session)
    with pytest.raises(RefusedError) as refused:
        health.decide(session, COMPOUND, row.id, approve=True, by=CHEN, at=NOW)
    assert (refused.value.code, row.state) == ("rules_not_writable", "open")


def test_device_is_looked_at_and_nothing_else_changes(session):
    raised(session, 25, reason=Why.CAMERA_MOVED)
    (row,) = proposed(session)
    assert (row.advice, row.parameter) == ("look_at_device", None)
    health.decide(session, COMPOUND, row.id, approve=True, by=CHEN, at=NOW)
    assert (history(session, COMPOUND), mutes.in_force(session, COMPOUND, NOW)) == ([], [])


def test_approved_mute_is_of_the_place_and_has_an_end(session):
    raised(session, 25, rule="R-E09", reason=Why.STAFF)
    (row,) = proposed(session)
    assert row.advice == "mute_place"
    health.decide(session, COMPOUND, row.id, approve=True, by=CHEN, at=NOW)
    (mute,) = mutes.in_force(session, COMPOUND, NOW)
    assert (mute.rule, mute.place, mute.ends_at) == ("R-E09", "cam-1", NOW + health.MUTED_FOR)


def test_report_of_what_was_held_back_hides_nothing(session):
    raised(session, 3, State.RAISED, held=True, held_reason="hour_full")
    raised(session, 1, State.RAISED, held=False, held_reason="hour_full", severity=2)
    raised(session, 2, State.RAISED, held=True, held_reason="source_full", device="cam-2", at=NOW - 2 * DAY)
    raised(session, 4, State.RAISED)
    raised(session, 5, State.RAISED, held=True, held_reason="hour_full", compound=ELSEWHERE)
    report = heldback.report(session, COMPOUND, NOW - 3 * DAY, NOW)
    assert (report.raised, report.held, report.came_out) == (10, 6, 1)
    assert [(one.device, one.severity, one.reason, one.count, one.still) for one in report.groups] == [
        ("cam-1", 4, "hour_full", 3, 3),
        ("cam-2", 4, "source_full", 2, 2),
        ("cam-1", 2, "hour_full", 1, 0),
    ]
    assert [count for _, count in report.by_hour] == [2, 4]
    assert heldback.report(session, COMPOUND, NOW - DAY + HOUR, NOW).raised == 0

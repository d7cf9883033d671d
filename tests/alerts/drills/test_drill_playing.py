"""A drill from its beginning to its end: the way of real incidents, and nothing of it is mixed with them."""

import datetime as dt

import pytest
from drill_hall import NOW, OPERATOR, S, enlist

from alerts.dispatch.actions import accept, send
from alerts.dispatch.models import Dispatch
from alerts.drills.models import Drill, DrillIncident
from alerts.drills.scenarios import SCENARIOS
from alerts.incidents import merging
from alerts.incidents.actor import SYSTEM
from alerts.incidents.deadlines import Timer
from alerts.incidents.holding import by_budget
from alerts.incidents.lifecycle import FalseAlarmReason, State
from alerts.incidents.merging import MergeRefusedError
from alerts.incidents.models import Incident, IncidentKey, Transition
from alerts.notify.asking import Ask, ask
from alerts.notify.models import Notification, NotificationState, Purpose
from alerts.rulebook import health, heldback
from alerts.rulebook.values import Budget
from registry.errors import MissingError, RefusedError


def test_its_first_incident_is_there_at_once_and_says_that_it_is_a_drill(hall):
    hall.start()
    [incident] = hall.all(Incident)
    assert (incident.kind, incident.rule, incident.severity) == ("person.needs_help", "R-C08", 1)
    assert incident.drill
    assert incident.due_at == hall.now + 20 * S
    assert incident.state in {State.RAISED, State.CONFIRMED}


def test_the_others_come_when_they_are_due(hall):
    hall.start("intrusion")
    assert len(hall.all(Incident)) == 1
    hall.now += 179 * S
    assert hall.keep() == 0
    hall.now += 1 * S
    assert hall.keep() == 1
    assert hall.keep() == 0
    hall.now += 360 * S
    hall.keep()
    found = sorted((one.ring, one.severity) for one in hall.all(Incident))
    assert found == [("building", 1), ("common", 3), ("entrance", 3)]
    assert all(one.drill for one in hall.all(Incident))


def test_what_is_one_thing_becomes_graver(hall):
    hall.start("fire")
    hall.now += 45 * S
    hall.keep()
    [incident] = hall.all(Incident)
    assert (incident.severity, incident.signal_count, incident.reason) == (1, 2, "fire_seen_and_smoke")


def test_one_at_a_time(hall):
    drill = hall.start()
    with pytest.raises(RefusedError) as refused:
        hall.start("fire")
    assert refused.value.code == "drill_running"
    hall.end(drill)
    hall.start("fire")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"scenario": "flood"}, "scenario_unknown"),
        ({"zone": "nowhere"}, "place_unknown"),
        ({"limit": dt.timedelta(hours=5)}, "drill_limit"),
        ({"limit": dt.timedelta(0)}, "drill_limit"),
    ],
)
def test_what_cannot_be_played_is_refused(lite, more, code):
    with pytest.raises(RefusedError) as refused:
        lite.start(**more)
    assert refused.value.code == code
    assert lite.all(Drill) == []


def test_it_is_played_where_somebody_says(lite):
    lite.start("sos", zone="square")
    assert [one.zone for one in lite.all(Incident)] == ["square"]


def test_it_ends_by_itself_with_all_that_is_open(hall):
    hall.start("intrusion")
    hall.now += SCENARIOS["intrusion"].limit
    hall.keep()
    [drill] = hall.all(Drill)
    assert (drill.ended_at, drill.ended_by, drill.running) == (hall.now, "system", None)
    for incident in hall.all(Incident):
        assert incident.state == State.FALSE_ALARM
        assert incident.false_alarm_reason == FalseAlarmReason.TEST_DRILL
    assert hall.all(IncidentKey) == []


@pytest.mark.parametrize(
    ("path", "ends"),
    [
        ([], State.FALSE_ALARM),
        ([State.ACKNOWLEDGED], State.FALSE_ALARM),
        ([State.ACKNOWLEDGED, State.CONFIRMED], State.CLOSED),
        ([State.CONFIRMED, State.RESOLVED], State.CLOSED),
    ],
)
def test_wherever_it_stands_it_ends_as_an_exercise(lite, path, ends):
    drill = lite.start("missing_elder")
    [incident] = lite.all(Incident)
    for to in path:
        lite.step(incident.id, to)
    lite.end(drill)
    [incident] = lite.all(Incident)
    assert (incident.state, incident.false_alarm_reason, incident.due_at) == (ends, "test_drill", None)
    last = max(lite.all(Transition), key=lambda row: row.version)
    assert (last.reason, last.actor) == ("test_drill", "manager")
    # Ended is ended.
    lite.end(drill, SYSTEM)
    assert [one.ended_by for one in lite.all(Drill)] == ["manager"]


def test_what_is_over_is_not_played_any_more(lite):
    drill = lite.start("intrusion")
    lite.end(drill)
    lite.now += 3600 * S
    assert lite.keep() == 0
    assert len(lite.all(Incident)) == 1
    assert lite.results(drill).to_come == 2
    with pytest.raises(MissingError):
        lite.end("none")


def test_letters_that_were_not_sent_are_not_sent_any_more(lite):
    enlist(lite, "gao")
    drill = lite.start()
    [incident] = lite.all(Incident)
    one = Ask("willow", "k", Purpose.INCIDENT, responder="gao", drill=True, incident=incident.id)
    lite.write(lambda session: ask(session, [one], lite.now))
    lite.end(drill)
    assert {row.state for row in lite.all(Notification)} == {NotificationState.WITHDRAWN}


def test_a_drill_and_something_real_at_the_same_place_are_two_incidents(hall):
    hall.real()
    hall.start("sos", zone="square")
    hall.now += 5 * S
    hall.real()
    found = sorted((one.drill, one.signal_count) for one in hall.all(Incident))
    assert found == [(False, 2), (True, 1)]


def test_nobody_can_put_them_together(lite):
    real = lite.real()
    lite.start()
    [played] = [one.id for one in lite.all(Incident) if one.drill]
    for target, source in ((real, played), (played, real)):
        with pytest.raises(MergeRefusedError) as refused:
            lite.write(
                lambda session, t=target, s=source: merging.merge(session, "willow", t, s, OPERATOR, lite.now)
            )
        assert refused.value.code == "merge_drill"


def test_results_are_the_times_beside_their_targets_and_the_real_week(hall):
    enlist(hall, "gao", "gong")
    real = hall.real()
    hall.now += 5 * S
    hall.step(real, State.ACKNOWLEDGED)
    hall.now += 60 * S
    drill = hall.start("missing_elder")
    [played] = [one.id for one in hall.all(Incident) if one.drill]
    hall.now += 12 * S
    hall.step(played, State.ACKNOWLEDGED)
    hall.now += 150 * S
    hall.step(played, State.CONFIRMED)
    hall.write(lambda session: send(session, played, ["gao", "gong"], OPERATOR, hall.now))
    hall.now += 20 * S
    [offer] = [row.id for row in hall.all(Dispatch) if row.responder == "gao"]
    hall.write(lambda session: accept(session, offer, "gao", hall.now))
    hall.end(drill)
    found = hall.results(drill)
    [one] = found.incidents
    times = {row.measured.timer: (row.measured.took, row.measured.within) for row in one.steps}
    assert times[Timer.ACKNOWLEDGE] == (12 * S, True)
    assert times[Timer.CONFIRM] == (150 * S, False)
    assert times[Timer.ACCEPT] == (20 * S, True)
    assert times[Timer.ARRIVE] == (None, False)
    assert {row.responder: row.after for row in one.asked}["gao"] == 20 * S
    # The real one was of another severity: there is nothing to compare with.
    assert {row.of for row in one.steps} == {0}


def test_the_real_week_is_of_the_same_severity_and_without_drills(lite):
    for took in (4, 8, 30):
        real = lite.real(key=f"k{took}")
        begun = lite.now
        lite.now = begun + took * S
        lite.step(real, State.ACKNOWLEDGED)
        lite.now = begun + 600 * S
    drill = lite.start()
    [played] = [one.id for one in lite.all(Incident) if one.drill]
    lite.now += 2 * S
    lite.step(played, State.ACKNOWLEDGED)
    lite.end(drill)
    lite.now += 60 * S
    second = lite.start()
    for which in (drill, second):
        [one] = lite.results(which).incidents
        [first] = [row for row in one.steps if row.measured.timer is Timer.ACKNOWLEDGE]
        assert (first.real, first.of) == (8 * S, 3)


def test_who_was_asked_and_never_answered_is_named(lite):
    enlist(lite, "gao", "gong")
    drill = lite.start("missing_elder")
    [played] = lite.all(Incident)
    lite.step(played.id, State.CONFIRMED)
    lite.write(lambda session: send(session, played.id, ["gao"], OPERATOR, lite.now))
    assert lite.results(drill).missed == ("gao",)


def test_no_count_of_the_rules_changes_with_a_drill(lite):
    lite.real()

    def counts():
        with lite.database.read() as session:
            at = lite.now + 3600 * S
            return (
                health.health(session, "willow", at),
                heldback.report(session, "willow", NOW - 3600 * S, at),
            )

    before = counts()
    drill = lite.start("intrusion")
    lite.now += 600 * S
    lite.keep()
    lite.end(drill)
    assert counts() == before


def test_a_drill_takes_nothing_of_the_alert_budget(lite):
    drill = lite.start("intrusion")
    lite.now += 600 * S
    lite.keep()
    real = lite.real("vehicle.unregistered", "R-E04", 3, "R-E04:x")

    def held(session):
        incident = session.get_one(Incident, real)
        return by_budget(Budget(per_operator=1, per_source=1), 1)(session, incident, lite.now)

    assert lite.write(held) is None
    assert lite.all(DrillIncident)
    lite.end(drill)

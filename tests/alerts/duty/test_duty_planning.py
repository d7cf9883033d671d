"""Rosters become shifts: once, ahead, and a change of them touches nothing that has begun."""

import datetime as dt

import pytest
from duty_world import HOUR, MANAGER, MONDAY, Duty, by_turns, local, slot
from timeline import COMPOUND

from alerts.duty import changing, planning
from alerts.duty.changing import Change
from alerts.duty.models import Shift
from alerts.duty.onduty import is_on_duty, next_on_duty, on_duty
from alerts.duty.patterns import three_shifts
from registry.errors import RefusedError
from tests.support.threads import at_once


@pytest.fixture
def duty(database) -> Duty:
    return Duty(database)


DAY = slot("day", 8, 16, by_turns("g1", "g2"), post="gate")


def test_shifts_are_written_a_fortnight_ahead_and_only_once(duty):
    duty.roster("guards", DAY)
    first = {(row.id, row.responder, row.starts_at) for row in duty.shifts()}
    # Today's, which has begun, and fourteen more.
    assert len(first) == 15
    assert max(row.starts_at for row in duty.shifts()) == local(7, 8, month=12)
    assert {row.post for row in duty.shifts()} == {"gate"}
    for _ in range(3):
        duty.rounds()
    assert {(row.id, row.responder, row.starts_at) for row in duty.shifts()} == first
    duty.until(MONDAY + 24 * HOUR)
    assert len(duty.shifts()) == len(first) + 1


def test_two_who_write_at_once_write_each_shift_once(each_database):
    duty = Duty(each_database)
    given = duty.roster("guards", DAY)
    with each_database.write() as session:
        session.query(Shift).delete()

    def write(_number: int) -> None:
        with each_database.write() as session:
            planning.sync(session, COMPOUND, duty.at)

    assert at_once(4, write) == []
    places = [row.place for row in duty.shifts()]
    assert len(places) == len(set(places)) == 15
    assert {row.roster for row in duty.shifts()} == {given.id}


def test_changed_roster_changes_future_shifts_that_nobody_touched(duty):
    row = duty.roster("guards", DAY)
    running, tomorrow, later = duty.shifts()[:3]
    with duty.database.write() as session:
        session.get(Shift, tomorrow.id).touched = True
    duty.changed(row, "guards", slot("day", 9, 17, by_turns("g3"), post="gate"))
    found = {one.id: one for one in duty.shifts()}
    assert (found[running.id].responder, found[running.id].starts_at) == (
        running.responder,
        running.starts_at,
    )
    assert found[tomorrow.id].responder == tomorrow.responder
    assert (found[later.id].responder, found[later.id].starts_at) == ("g3", later.starts_at + HOUR)


def test_whoever_loses_or_gets_a_duty_by_a_change_is_told(duty):
    row = duty.roster("guards", DAY)
    assert duty.told("g1") == duty.told("g2") == []
    duty.changed(row, "guards", slot("day", 8, 16, by_turns("g2"), post="gate"))
    # Seven of theirs at once are one notice.
    assert duty.told("g1") == ["several"]
    assert duty.told("g2") == ["several"]


def test_roster_that_ends_takes_its_future_shifts_with_it(duty):
    row = duty.roster("guards", DAY)
    duty.changed(row, "guards", DAY, ends_on=dt.date(2026, 11, 24))
    assert [one.starts_at for one in duty.shifts()] == [local(23, 8), local(24, 8)]


def test_temporary_roster_stands_in_for_its_days(duty):
    row = duty.roster("guards", DAY)
    stands_in = slot("day", 8, 16, by_turns("g3"), post="gate")
    days = {"starts_on": dt.date(2026, 11, 25), "ends_on": dt.date(2026, 11, 26)}
    duty.roster("guards", stands_in, replaces=row.id, **days)
    who = [(one.starts_at.astimezone(dt.UTC).day, one.responder) for one in duty.shifts()][:5]
    assert [one for _, one in who][2:4] == ["g3", "g3"]
    assert "g3" not in {one for _, one in who[:2] + who[4:]}
    with pytest.raises(RefusedError, match="roster_temporary"):
        duty.roster("guards", stands_in, replaces=row.id)


def test_stand_in_for_an_hour_of_a_running_shift_cuts_it_and_both_are_told(duty):
    duty.roster("guards", slot("day", 8, 16, by_turns("g1"), post="gate"))
    duty.does(changing.make, Change("g1", "g2", local(23, 11), local(23, 12)), MANAGER)
    assert duty.who(local(23), local(24)) == [("g1", 8, 11), ("g2", 11, 12), ("g1", 12, 16)]
    assert duty.told("g2") == ["added"]
    assert sorted(duty.told("g1")) == ["added", "changed"]


def test_absence_leaves_a_hole_and_taking_it_back_fills_it(duty):
    duty.roster("guards", slot("day", 8, 16, by_turns("g1"), post="gate"))
    away = duty.does(changing.make, Change("g1", None, local(24), local(26), "体检"), MANAGER)
    assert duty.who(local(24), local(26)) == []
    assert duty.told("g1") == ["removed", "removed"]
    duty.does(changing.end, away.id, MANAGER)
    assert duty.who(local(24), local(26)) == [("g1", 8, 16), ("g1", 32, 40)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (Change("g1", "g2", local(25), local(24)), "change_empty"),
        (Change("g1", "g2", local(20), local(21)), "change_over"),
        (Change("g1", "g1", local(24), local(25)), "same_person"),
        # g2 has the evening of the same day.
        (Change("g1", "g2", local(24), local(25)), "rest_too_short"),
    ],
)
def test_change_that_cannot_be_is_refused(duty, change, code):
    duty.roster("guards", slot("day", 8, 16, by_turns("g1")), slot("evening", 16, 24, by_turns("g2")))
    with pytest.raises(RefusedError, match=code):
        duty.does(changing.make, change, MANAGER)


def test_stand_in_for_a_shift_entered_by_hand(duty):
    with duty.database.write() as session:
        session.add(
            Shift(id="hand", responder="g1", starts_at=local(24, 8), ends_at=local(24, 16), post="gate")
        )
    duty.does(changing.make, Change("g1", "g2", local(24, 12), local(24, 20)), MANAGER)
    assert duty.who(local(24), local(25)) == [("g1", 8, 12), ("g2", 12, 16)]


def test_whoever_is_not_active_leaves_an_empty_place(duty):
    from alerts.duty import staffing

    duty.roster("guards", DAY)
    duty.does(staffing.change_responder, "g2", {"active": False}, MANAGER)
    duty.rounds()
    assert {row.responder for row in duty.shifts() if row.starts_at > duty.at} == {"g1"}


def test_on_duty_and_next_at_each_side_of_a_change_at_midnight(duty):
    groups = [["o1"], ["o2"], ["o3"], ["o4"]]
    duty.roster("control", *three_shifts(groups, dt.date(2026, 11, 1)))
    midnight = local(25)
    with duty.database.read() as session:
        before = on_duty(session, COMPOUND, midnight - dt.timedelta(microseconds=1))
        after = on_duty(session, COMPOUND, midnight)
        following = next_on_duty(session, COMPOUND, "control", midnight - HOUR)
        assert len(before) == len(after) == 1
        assert before[0].id != after[0].id
        assert [(one.id, one.starts_at) for one in following] == [(after[0].id, midnight)]
        assert is_on_duty(session, after[0].id, midnight)
        assert not is_on_duty(session, before[0].id, midnight)
        assert next_on_duty(session, COMPOUND, "control", local(30, month=12)) == []


def test_notices_come_half_a_day_and_half_an_hour_before_and_at_the_change_to_both(duty):
    duty.roster("guards", slot("day", 8, 20, by_turns("g1")), slot("night", 20, 8, by_turns("g2")))
    for row in duty.shifts():
        # One night alone, to see each notice.
        if not local(23, 19) <= row.starts_at <= local(24, 8):
            with duty.database.write() as session:
                session.get(Shift, row.id).touched = True
                session.get(Shift, row.id).starts_at = row.starts_at + 900 * HOUR
                session.get(Shift, row.id).ends_at = row.ends_at + 900 * HOUR
    duty.rounds()
    assert duty.told("g2") == ["ahead"]
    duty.until(local(23, 19))
    assert duty.told("g2") == ["ahead"]
    duty.until(local(23, 19.5))
    assert duty.told("g2") == ["ahead", "soon"]
    duty.until(local(23, 20))
    assert duty.told("g2") == ["ahead", "soon", "begins"]
    assert duty.told("g1") == ["ahead"]
    duty.until(local(24, 8))
    assert duty.told("g2") == ["ahead", "soon", "begins", "ends"]
    assert duty.told("g1") == ["ahead", "soon", "begins"]

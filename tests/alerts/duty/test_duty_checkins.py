"""Volunteers come and go by their own word, at most so long, and can read what they have stood."""

import datetime as dt

import pytest
from duty_world import HOUR, MONDAY, Duty, by_turns, local, slot
from sqlalchemy import select
from timeline import COMPOUND

from alerts.dispatch import positions
from alerts.dispatch.models import ResponderPosition
from alerts.duty import checkins, hours
from alerts.duty.models import Responder, Shift
from alerts.duty.onduty import is_checked_in, is_on_duty
from alerts.incidents.actor import Actor
from registry.errors import RefusedError
from tests.support.threads import at_once

V1 = Actor("user-v1", "volunteer")


@pytest.fixture
def duty(database) -> Duty:
    return Duty(database)


def holds(duty: Duty, who: str = "v1") -> tuple[bool, bool]:
    with duty.database.read() as session:
        return is_on_duty(session, who, duty.at), is_checked_in(session, who, duty.at)


def test_duty_is_from_check_in_to_check_out(duty):
    assert holds(duty) == (False, False)
    duty.does(checkins.check_in, "v1", V1)
    assert holds(duty) == (True, True)
    duty.until(MONDAY + 2 * HOUR)
    duty.does(checkins.check_out, "v1", V1)
    assert holds(duty) == (False, False)
    (row,) = duty.shifts("v1")
    assert (row.starts_at, row.ends_at, row.closed_by) == (MONDAY, MONDAY + 2 * HOUR, "self")
    assert duty.told("v1") == []
    with pytest.raises(RefusedError, match="not_checked_in"):
        duty.does(checkins.check_out, "v1", V1)


def test_forgotten_check_out_ends_at_the_limit_with_a_notice(duty):
    duty.does(checkins.check_in, "v1", V1)
    duty.until(MONDAY + 3.9 * HOUR)
    assert holds(duty) == (True, True)
    duty.until(MONDAY + 6 * HOUR)
    assert holds(duty) == (False, False)
    (row,) = duty.shifts("v1")
    assert (row.ends_at, row.checked_out_at, row.closed_by) == (MONDAY + 4 * HOUR, row.ends_at, "limit")
    assert duty.told("v1") == ["checked_out"]
    duty.does(checkins.check_in, "v1", V1)
    assert holds(duty) == (True, True)


def places_known(duty: Duty) -> set[str]:
    with duty.database.read() as session:
        return set(session.scalars(select(ResponderPosition.responder)))


def test_where_somebody_is_is_forgotten_with_their_check_out(duty):
    for who in ("v1", "v2"):
        duty.does(checkins.check_in, who, V1)
        duty.does(positions.agree, who)
    duty.does(checkins.check_out, "v1", V1)
    assert places_known(duty) == {"v2"}


def test_where_somebody_is_is_forgotten_at_the_limit_unless_they_are_still_on_duty(duty):
    for who in ("v1", "v2"):
        duty.does(checkins.check_in, who, V1)
        duty.does(positions.agree, who)
    with duty.database.write() as session:
        longer = MONDAY + 9 * HOUR
        session.add(Shift(id="longer", responder="v2", starts_at=MONDAY + HOUR, ends_at=longer))
    duty.until(MONDAY + 4 * HOUR)
    assert {one.closed_by for one in duty.shifts("v1", "v2")} == {"limit", None}
    assert places_known(duty) == {"v2"}
    # By the clock, where nobody checks out.
    duty.at = longer
    with duty.database.write() as session:
        positions.ROUND.do(session, duty.at)
    assert places_known(duty) == set()


def test_limit_holds_whether_or_not_the_round_has_looked(duty):
    duty.does(checkins.check_in, "v1", V1)
    duty.at = MONDAY + 5 * HOUR
    assert holds(duty) == (False, False)
    duty.does(checkins.check_in, "v1", V1)
    assert [row.closed_by for row in duty.shifts("v1")] == ["limit", None]


def test_button_pressed_twice_at_once_is_one_duty(each_database):
    duty = Duty(each_database)

    def press(_number: int) -> None:
        with each_database.write() as session:
            checkins.check_in(session, COMPOUND, "v1", V1, duty.at)

    assert [one.code for one in at_once(3, press)] == ["already_checked_in"] * 2
    assert len(duty.shifts("v1")) == 1


def test_hours_of_the_week_end_a_duty_and_then_forbid_one(duty):
    with duty.database.write() as session:
        session.get(Responder, "v1").hours_most = 6
    duty.does(checkins.check_in, "v1", V1)
    duty.until(MONDAY + 5 * HOUR)
    duty.does(checkins.check_in, "v1", V1)
    assert duty.shifts("v1")[-1].ends_at == MONDAY + 7 * HOUR
    duty.until(MONDAY + 8 * HOUR)
    with pytest.raises(RefusedError, match="hours_too_many"):
        duty.does(checkins.check_in, "v1", V1)
    duty.at = local(30, 1)
    duty.does(checkins.check_in, "v1", V1)


def test_check_in_for_a_written_shift_is_that_shift(duty):
    duty.roster("volunteers", slot("evening", 18, 22, by_turns("v1")))
    duty.until(local(23, 17.5))
    duty.does(checkins.check_in, "v1", V1)
    duty.until(local(23, 21))
    duty.does(checkins.check_out, "v1", V1)
    duty.rounds()
    assert duty.who(local(23), local(24)) == [("v1", 17.5, 21)]


def test_month_is_cut_at_its_ends_and_says_nothing_of_why_somebody_was_away(duty):
    with duty.database.write() as session:
        session.add_all(
            [
                Shift(id="a", responder="v1", starts_at=local(1, -2), ends_at=local(1, 3)),
                Shift(id="b", responder="v1", starts_at=local(10, 9), ends_at=local(10, 12), on_call=True),
                Shift(id="c", responder="v2", starts_at=local(10, 9), ends_at=local(10, 12)),
                Shift(id="d", responder="v1", starts_at=MONDAY - HOUR, ends_at=MONDAY + HOUR),
            ]
        )
    with duty.database.read() as session:
        mine = hours.own(session, COMPOUND, "v1", 2026, 11, duty.at)
        team = hours.of_team(session, COMPOUND, "volunteers", 2026, 11, duty.at)
    assert mine.worked == dt.timedelta(hours=4)
    assert mine.on_call == dt.timedelta(hours=3)
    assert [(one.responder, one.worked / HOUR) for one in team] == [("v1", 4), ("v2", 3), ("v3", 0)]

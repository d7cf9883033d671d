"""Rosters, the patrol route and the control room's sound: there at the start, calm, and on older data too."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, update

from alerts import calendar
from alerts.duty import gaps
from alerts.duty.coverage import Need
from alerts.duty.models import Shift, Team, TeamKind
from alerts.duty.onduty import on_duty
from alerts.duty.rostermodels import DutyChange, Roster, RosterGap
from alerts.notify.models import ChannelKind, Contact
from alerts.patrols import keeping
from alerts.patrols.models import (
    Checkpoint,
    PatrolPoint,
    PatrolRound,
    PatrolRoute,
    PatrolSchedule,
    RoundState,
)
from alerts.rulebook import current
from ringward.demo import build_demo, plan
from ringward.demo.plan import COMPOUND

LOCAL = ZoneInfo("Asia/Shanghai")
TWENTY_MINUTES = dt.timedelta(minutes=20)


def again(home) -> None:
    build_demo(home.database, home.media, home.clock, home.folder)


def local(moment: dt.datetime) -> str:
    return f"{moment.astimezone(LOCAL):%d %H:%M}"


def missing(home) -> list[tuple[Need, str | None, str, str]]:
    """What a week from now is short of, by the compound's clock."""
    now = home.clock.now()
    with home.database.read() as session:
        found = gaps.look(session, COMPOUND, now, now + dt.timedelta(days=7))
    return [(one.need, one.zone, local(one.starts_at), local(one.ends_at)) for one in found]


def test_every_team_has_a_roster(home) -> None:
    assert sorted(row.team for row in home.rows(Roster)) == sorted(row.id for row in home.rows(Team))


def test_the_week_has_one_gap_which_is_at_the_south_gate_tomorrow_after_midnight(home) -> None:
    assert missing(home) == [(Need.GUARD, plan.SOUTH_GATE, "24 00:00", "24 08:00")]


def test_the_gap_is_known_from_the_start(home) -> None:
    (gap,) = home.rows(RosterGap)
    assert (gap.need, gap.zone, gap.closed_at) == (Need.GUARD, plan.SOUTH_GATE, None)


def test_a_demo_that_is_started_again_days_later_has_its_gap_in_the_coming_night(own_home) -> None:
    own_home.clock.at += dt.timedelta(days=5, hours=4)
    again(own_home)
    assert missing(own_home) == [(Need.GUARD, plan.SOUTH_GATE, "29 00:00", "29 08:00")]
    assert len(own_home.rows(DutyChange)) == 1
    again(own_home)
    assert len(own_home.rows(DutyChange)) == 1


def test_an_operator_and_somebody_who_can_be_sent_is_on_duty_at_every_hour_of_the_week(home) -> None:
    with home.database.read() as session:
        for hour in range(24 * 7):
            at = home.clock.now() + dt.timedelta(hours=hour)
            kinds = {one.kind for one in on_duty(session, COMPOUND, at)}
            assert kinds >= {TeamKind.OPERATOR, TeamKind.GUARD, TeamKind.EMERGENCY}


@pytest.mark.parametrize("minutes", [0, 7, 14, 15, 59, 6 * 60 + 1, 11 * 60 + 50, 12 * 60])
def test_a_round_begins_soon_and_nobody_misses_it_in_the_first_twenty_minutes(own_home, minutes: int) -> None:
    for table in (PatrolPoint, PatrolSchedule, PatrolRoute, Checkpoint):
        with own_home.database.write() as session:
            session.execute(delete(table))
    own_home.clock.at += dt.timedelta(minutes=minutes)
    now = own_home.clock.now()
    again(own_home)
    with own_home.database.write() as session:
        keeping.keep(session, now)
    rounds = sorted(own_home.rows(PatrolRound), key=lambda row: row.due_from)
    assert dt.timedelta(minutes=10) <= rounds[0].due_from - now <= dt.timedelta(minutes=25)
    assert rounds[0].due_until > now + TWENTY_MINUTES
    assert rounds[0].responder == "hh-guard-1"


def test_what_was_to_be_walked_while_the_demo_was_off_is_missed_by_nobody(own_home) -> None:
    started = own_home.clock.now()
    with own_home.database.write() as session:
        keeping.keep(session, started)
    (first, *_) = sorted(own_home.rows(PatrolRound), key=lambda row: row.due_from)
    # The first round is nearly over, and nobody has walked it.
    own_home.clock.at = first.due_until - dt.timedelta(minutes=5)
    now = own_home.clock.now()
    assert "patrol.due" in observed(own_home, started, now + TWENTY_MINUTES)
    again(own_home)
    assert "patrol.due" not in observed(own_home, started, now + TWENTY_MINUTES)
    with own_home.database.write() as session:
        keeping.keep(session, now + TWENTY_MINUTES)
    assert all(row.state != RoundState.MISSED for row in own_home.rows(PatrolRound))


def test_a_round_that_somebody_walks_goes_on_through_a_second_start(own_home) -> None:
    with own_home.database.write() as session:
        keeping.keep(session, own_home.clock.now())
        session.execute(update(PatrolRound).values(state=RoundState.UNDER_WAY))
    own_home.clock.at += dt.timedelta(hours=2)
    again(own_home)
    assert {row.state for row in own_home.rows(PatrolRound)} == {RoundState.UNDER_WAY}


def test_no_post_of_a_roster_is_looked_for(home) -> None:
    """Nobody stands at the demo's posts, and no rule may say so."""
    assert {row.post for row in home.rows(Shift)} == {None}
    now = home.clock.now()
    assert "post.shift" not in observed(home, now, now + dt.timedelta(days=2))


def test_the_control_room_sounds(home) -> None:
    assert [(row.kind, row.responder, row.enabled) for row in home.rows(Contact)] == [
        (ChannelKind.CONSOLE, None, True)
    ]


def test_all_of_it_comes_to_an_older_compound(own_home) -> None:
    with own_home.database.write() as session:
        session.execute(delete(Shift).where(Shift.roster.is_not(None)))
        for table in (Roster, PatrolPoint, PatrolSchedule, PatrolRoute, Checkpoint, Contact):
            session.execute(delete(table))
    again(own_home)
    assert missing(own_home) == [(Need.GUARD, plan.SOUTH_GATE, "24 00:00", "24 08:00")]
    assert len(own_home.rows(PatrolPoint)) == 5
    assert len(own_home.rows(Contact)) == 1


def observed(home, start: dt.datetime, end: dt.datetime) -> set[str]:
    with home.database.read() as session:
        plans = current.current(session, COMPOUND, start)
        return {str(one.type) for one in calendar.between(session, COMPOUND, start, end, plans)}


def test_rounds_are_six_hours_apart_by_the_compounds_clock(home) -> None:
    (schedule,) = home.rows(PatrolSchedule)
    assert schedule.times == [15, 6 * 60 + 15, 12 * 60 + 15, 18 * 60 + 15]

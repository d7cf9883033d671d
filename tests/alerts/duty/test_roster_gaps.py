"""Gaps of the coming day: told once to those who edit rosters, told again when near, closed when filled."""

import datetime as dt

import pytest
from duty_world import HOUR, MANAGER, MONDAY, Duty, by_turns, local, slot
from sqlalchemy import select
from timeline import COMPOUND, RINGS

from alerts.duty import calendars, changing, china, gaps
from alerts.duty.changing import Change
from alerts.duty.days import WORKDAYS, DayKind, NamedDay
from alerts.duty.models import Shift
from alerts.duty.rostermodels import DutyRules, RosterGap

ENTRANCES = [zone for zone, ring in RINGS.items() if ring == "entrance"]


@pytest.fixture
def duty(database) -> Duty:
    """Everything is covered by shifts entered by hand; the control room by its roster."""
    made = Duty(database)
    with database.write() as session:
        for place, zone in enumerate(ENTRANCES):
            session.add(_always(f"g{place + 1}", zone))
        session.add_all([_always("clerk"), _always("lead")])
    made.roster("control", slot("day", 8, 20, by_turns("o1")), slot("night", 20, 8, by_turns("o2")))
    return made


def _always(who: str, post: str | None = None) -> Shift:
    return Shift(
        id=f"always-{who}", responder=who, starts_at=MONDAY - HOUR, ends_at=MONDAY + 2000 * HOUR, post=post
    )


def standing(duty: Duty) -> list[tuple[str, dt.datetime, dt.datetime]]:
    with duty.database.read() as session:
        return [(row.need, row.starts_at, row.ends_at) for row in gaps.open_gaps(session, COMPOUND)]


def told(duty: Duty) -> list[str]:
    return [one for one in duty.told("lead") if one.startswith("gap")]


def test_covered_day_raises_nothing(duty):
    duty.until(MONDAY + 24 * HOUR)
    assert standing(duty) == []
    assert told(duty) == []


def test_gap_is_told_once_a_day_ahead_and_again_two_hours_before(duty):
    away = duty.does(changing.make, Change("o1", None, local(25), local(26)), MANAGER)
    duty.until(local(24, 7.5))
    assert standing(duty) == []
    duty.until(local(24, 8.5))
    assert [one[:2] for one in standing(duty)] == [("operator", local(25, 8))]
    assert told(duty) == ["gap"]
    # It grows into the day that is looked at, and is the same gap.
    duty.until(local(25, 5.5))
    assert standing(duty) == [("operator", local(25, 8), local(25, 20))]
    assert told(duty) == ["gap"]
    duty.until(local(25, 6))
    assert told(duty) == ["gap", "gap_soon"]
    duty.until(local(25, 9))
    assert told(duty) == ["gap", "gap_soon"]
    assert away.id


def test_gap_that_is_filled_is_closed_and_what_was_not_sent_is_taken_back(duty):
    duty.does(changing.make, Change("o1", None, local(24, 10.5), local(25)), MANAGER)
    duty.rounds()
    assert told(duty) == []
    duty.until(local(23, 11))
    assert told(duty) == ["gap"]
    with duty.database.write() as session:
        session.add(Shift(id="x", responder="o3", starts_at=local(24, 10), ends_at=local(25)))
    duty.rounds()
    assert standing(duty) == []
    assert told(duty) == ["gap:withdrawn"]
    with duty.database.read() as session:
        assert session.scalars(select(RosterGap.closed_at)).all() == [duty.at]


def test_guard_missing_at_one_entrance_names_the_entrance(duty):
    with duty.database.write() as session:
        session.get(Shift, "always-g1").ends_at = local(24, 2)
    duty.rounds()
    with duty.database.read() as session:
        (gap,) = gaps.open_gaps(session, COMPOUND)
        assert (gap.need, gap.zone, gap.starts_at) == ("guard", ENTRANCES[0], local(24, 2))


def test_compound_that_has_put_the_check_off_hears_nothing(duty):
    with duty.database.write() as session:
        session.add(
            DutyRules(compound=COMPOUND, rest_h=11, check_in_h=4, approve_swaps=False, check_coverage=False)
        )
        session.get(Shift, "always-g1").ends_at = local(24, 2)
    duty.rounds()
    assert standing(duty) == []


def test_year_that_nobody_knows_is_told_before_it_begins(duty):
    beyond = max(china.years()) + 1
    duty.at = dt.datetime(beyond - 1, 12, 20, tzinfo=dt.UTC)
    duty.roster("office", slot("office", 8, 17, by_turns("clerk"), days=WORKDAYS))
    with duty.database.write() as session:
        found = gaps.look(session, COMPOUND, duty.at, duty.at + 24 * HOUR)
    assert [(one.starts_at.year, one.starts_at.month) for one in found if one.need == "calendar"] == [
        (beyond - 1, 12)
    ]


def test_year_that_nobody_knows_is_told_in_its_own_words_and_closed_when_it_is_entered(duty):
    beyond = max(china.years()) + 1
    duty.at = dt.datetime(beyond - 1, 12, 28, tzinfo=dt.UTC)
    duty.roster("office", slot("office", 8, 17, by_turns("clerk"), days=WORKDAYS))
    duty.rounds()
    assert duty.told("lead").count("calendar") == 1
    days = {dt.date(beyond, 1, 1): NamedDay(DayKind.HOLIDAY, "元旦")}
    duty.does(calendars.enter_year, beyond, "国办发明电", days, MANAGER)
    duty.rounds()
    assert "calendar" not in {one[0] for one in standing(duty)}
    assert "calendar:withdrawn" in duty.told("lead")
    # Its office days are planned now.
    assert any(row.starts_at.year == beyond for row in duty.shifts("clerk"))

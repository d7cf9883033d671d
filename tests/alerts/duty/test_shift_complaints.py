"""What users of GoAlert and Grafana OnCall missed about shifts, each by the number of its thread."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from duty_world import HOUR, MANAGER, Duty, by_turns, local, slot

from alerts.duty import changing, china
from alerts.duty.changing import Change
from alerts.duty.days import DutyCalendar
from alerts.duty.patterns import three_shifts
from alerts.duty.roster import DutyRoster, expand


@pytest.fixture
def duty(database) -> Duty:
    made = Duty(database)
    made.roster("guards", slot("day", 8, 20, by_turns("g1")), slot("night", 20, 8, by_turns("g2")))
    return made


def test_goalert_583_hand_over_is_told_to_who_goes_and_who_comes(duty):
    duty.until(local(23, 20))
    assert duty.told("g1").count("ends") == 1
    assert duty.told("g2").count("begins") == 1


def test_goalert_1523_shift_is_told_before_it_begins(duty):
    duty.until(local(23, 19.5))
    assert [one for one in duty.told("g2") if one in {"ahead", "soon"}][:1] == ["ahead"]
    assert duty.told("g2").count("soon") == 1


def test_goalert_3029_notices_are_not_said_again_by_whoever_looks_next(duty):
    duty.until(local(23, 20))
    before = duty.told("g1"), duty.told("g2")
    for _ in range(3):
        duty.rounds()
    assert (duty.told("g1"), duty.told("g2")) == before


def test_oncall_2953_whoever_gets_a_shift_at_short_notice_hears_of_it_at_once(duty):
    duty.does(changing.make, Change("g2", "g3", local(23, 20), local(24, 8)), MANAGER)
    assert duty.told("g3") == ["added"]
    assert "removed" in duty.told("g2")
    duty.until(local(23, 20))
    assert duty.told("g3").count("begins") == 1
    assert "begins" not in duty.told("g2")


@pytest.mark.parametrize("day", [dt.date(2028, 2, 28), dt.date(2028, 2, 29), dt.date(2026, 12, 31)])
def test_leap_day_month_end_and_new_year_are_days_like_others(day):
    zone = ZoneInfo("Asia/Shanghai")
    begins = dt.date(2026, 1, 1)
    roster = DutyRoster("r", "t", zone, three_shifts([["a"], ["b"], ["c"], ["d"]], begins), begins)
    start = dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)
    found = expand(roster, DutyCalendar(china.published(), china.years()), start, start + 48 * HOUR).duties
    assert [one.place.split("/")[1] for one in found] == ["night", "day", "evening"] * 2
    assert found[0].starts_at == start
    assert found[-1].ends_at == start + 48 * HOUR

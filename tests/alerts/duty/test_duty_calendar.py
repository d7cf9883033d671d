"""China's days of 2026, as the General Office of the State Council announced them (国办发明电〔2025〕7号):

New Year 1–3 January, Sunday 4 January is worked; Spring Festival 15–23 February, Saturdays 14 and 28
February are worked; Tomb-sweeping 4–6 April; Labour Day 1–5 May, Saturday 9 May is worked; Dragon Boat
19–21 June; Mid-autumn 25–27 September; National Day 1–7 October, Sunday 20 September and Saturday 10
October are worked. Holidays: 33 days; make-up working days: 6.
"""

import datetime as dt

import pytest

from alerts.duty import china
from alerts.duty.days import DayKind, DutyCalendar, NamedDay, YearUnknownError

CHINA = DutyCalendar(china.published(), china.years())
HOLIDAYS = {
    (1, 1): 3,
    (2, 15): 9,
    (4, 4): 3,
    (5, 1): 5,
    (6, 19): 3,
    (9, 25): 3,
    (10, 1): 7,
}
WORKED = [(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)]


def _days_of(year: int) -> list[dt.date]:
    first = dt.date(year, 1, 1)
    return [first + dt.timedelta(days=n) for n in range((dt.date(year + 1, 1, 1) - first).days)]


@pytest.mark.parametrize(("begins", "count"), HOLIDAYS.items())
def test_holiday_of_2026_with_the_days_that_are_moved_to_it(begins, count):
    first = dt.date(2026, *begins)
    for day in range(count):
        assert CHINA.kind(first + dt.timedelta(days=day)) is DayKind.HOLIDAY
    assert CHINA.kind(first - dt.timedelta(days=1)) is not DayKind.HOLIDAY
    assert CHINA.kind(first + dt.timedelta(days=count)) is not DayKind.HOLIDAY


@pytest.mark.parametrize("day", WORKED)
def test_weekend_day_of_2026_that_is_worked(day):
    worked = dt.date(2026, *day)
    assert worked.weekday() >= 5
    assert CHINA.kind(worked) is DayKind.MAKE_UP
    assert CHINA.kind(worked).works


def test_every_other_day_of_2026_is_what_the_week_says():
    kinds = {day: CHINA.kind(day) for day in _days_of(2026)}
    assert sum(kind is DayKind.HOLIDAY for kind in kinds.values()) == 33
    assert sum(kind is DayKind.MAKE_UP for kind in kinds.values()) == 6
    for day, kind in kinds.items():
        if kind in {DayKind.WEEKDAY, DayKind.WEEKEND}:
            assert (kind is DayKind.WEEKEND) == (day.weekday() >= 5)


def test_year_without_a_notice_is_not_guessed_at():
    beyond = max(china.years()) + 1
    assert not CHINA.known(dt.date(beyond, 1, 5))
    with pytest.raises(YearUnknownError) as unknown:
        CHINA.kind(dt.date(beyond, 1, 5))
    assert unknown.value.year == beyond


def test_last_day_of_a_known_year_does_not_lend_its_year_to_the_next():
    assert 2026 in china.years()
    assert CHINA.kind(dt.date(2026, 12, 31)) is DayKind.WEEKDAY


def test_own_day_goes_before_the_announced_one_and_before_no_notice():
    typhoon, festival = dt.date(2026, 11, 24), dt.date(2031, 5, 4)
    own = {
        typhoon: NamedDay(DayKind.HOLIDAY, "台风停工"),
        dt.date(2026, 10, 1): NamedDay(DayKind.WEEKDAY, "值班"),
        festival: NamedDay(DayKind.HOLIDAY, "五四"),
    }
    calendar = DutyCalendar(china.published(), china.years(), own)
    assert calendar.kind(typhoon) is DayKind.HOLIDAY
    assert calendar.kind(dt.date(2026, 10, 1)) is DayKind.WEEKDAY
    assert calendar.kind(festival) is DayKind.HOLIDAY
    assert calendar.named(festival).name == "五四"
    assert calendar.named(dt.date(2026, 11, 25)) is None
    with pytest.raises(YearUnknownError):
        calendar.kind(festival + dt.timedelta(days=1))

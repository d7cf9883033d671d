"""When rounds are due by the compound's clock, and who walks them."""

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from alerts.patrols.planning import Hours, due_between, whom

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
HOUR = dt.timedelta(hours=1)


def day(date: dt.date) -> str:
    return "weekend" if date.weekday() > 4 else "weekday"


def at(date: int, hour: int, minute: int = 0, zone=SHANGHAI) -> dt.datetime:
    return dt.datetime(2026, 11, date, hour, minute, tzinfo=zone)


def test_rounds_begin_at_their_times_on_their_weekdays() -> None:
    # 23 November is a Monday; 26:00 is two in the morning of the day after.
    hours = Hours((22 * 60, 26 * 60), HOUR, frozenset({0}))
    assert due_between(hours, at(22, 0), at(25, 0), SHANGHAI, day) == [
        (at(23, 22), at(23, 23)),
        (at(24, 2), at(24, 3)),
    ]


def test_a_day_of_a_kind_counts_whatever_weekday_it_is() -> None:
    hours = Hours((9 * 60,), HOUR, day_kinds=frozenset({"make_up"}))
    # A Saturday that is worked.
    worked = dt.date(2026, 11, 28)
    kind = lambda date: "make_up" if date == worked else day(date)  # noqa: E731
    assert due_between(hours, at(22, 0), at(30, 0), SHANGHAI, kind) == [(at(28, 9), at(28, 10))]


@given(st.lists(st.integers(0, 7 * 24 * 12), min_size=2, max_size=6).map(sorted))
def test_spans_that_follow_each_other_give_each_round_once(steps) -> None:
    hours = Hours((0, 22 * 60, 47 * 60 + 30), HOUR, frozenset({0, 2, 6}))
    bounds = [at(22, 0) + dt.timedelta(minutes=5 * step) for step in steps]
    whole = due_between(hours, bounds[0], bounds[-1], SHANGHAI, day)
    parts = [due_between(hours, one, two, SHANGHAI, day) for one, two in itertools.pairwise(bounds)]
    assert [due for part in parts for due in part] == whole


def test_clocks_that_are_put_forward_leave_one_round_a_day_and_its_length() -> None:
    # 29 March 2026: 02:00 becomes 03:00 in Berlin; 25 October: 03:00 becomes 02:00.
    for month, date in ((3, 29), (10, 25)):
        hours = Hours((150, 360), HOUR, frozenset(range(7)))
        start = dt.datetime(2026, month, date, tzinfo=BERLIN)
        due = due_between(hours, start, start + dt.timedelta(days=1), BERLIN, day)
        assert [ends - begins for begins, ends in due] == [HOUR, HOUR]
        assert due[1][0].astimezone(BERLIN).hour == 6
        assert len({begins for begins, _ in due}) == 2


def test_who_has_walked_least_walks() -> None:
    assert whom(["li", "wang"], {"li": 2, "wang": 1}) == "wang"
    assert whom(["wang", "li"], {}) == "li"
    assert whom([], {"li": 1}) is None


def test_a_span_has_its_beginning_and_not_its_end() -> None:
    hours = Hours((22 * 60,), HOUR, frozenset({0}))
    begins = at(23, 22)
    assert due_between(hours, begins, begins + HOUR, SHANGHAI, day) == [(begins, begins + HOUR)]
    assert due_between(hours, begins - HOUR, begins, SHANGHAI, day) == []

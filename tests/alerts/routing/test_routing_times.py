"""Times of the week by the compound's clock, over midnight, and on days that are worked or not."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from alerts.routing.times import CHINA, Clock, Span, Times, over

NIGHT = Times("night", (Span(dt.time(22), dt.time(6)),))
FRIDAY_NIGHT = Times("friday", (Span(dt.time(22), dt.time(6), frozenset({4})),))
OFFICE = Times("office", (Span(dt.time(8), dt.time(17, 30), worked=True),))


def local(day: int, clock: str) -> dt.datetime:
    """November 2026; the 23rd is a Monday."""
    return dt.datetime.fromisoformat(f"2026-11-{day:02}T{clock}:00+08:00")


def test_span_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    assert FRIDAY_NIGHT.hold(local(27, "22:00"), CHINA)
    assert FRIDAY_NIGHT.hold(local(28, "05:59"), CHINA)
    assert not FRIDAY_NIGHT.hold(local(28, "06:00"), CHINA)
    assert not FRIDAY_NIGHT.hold(local(27, "03:00"), CHINA)


def test_made_up_working_day_is_worked_and_a_holiday_is_not() -> None:
    swapped = {local(28, "10:00").date(): True, local(27, "10:00").date(): False}
    china = Clock(CHINA.zone, lambda day: swapped.get(day, day.weekday() < 5))
    assert OFFICE.hold(local(28, "10:00"), china)
    assert not OFFICE.hold(local(27, "10:00"), china)
    assert OFFICE.hold(local(26, "17:29"), china)
    assert not OFFICE.hold(local(26, "17:30"), china)


def test_end_of_what_holds_is_when_nothing_of_it_does() -> None:
    assert over([NIGHT], local(23, "23:00"), CHINA) == local(24, "06:00")
    assert over([NIGHT, OFFICE], local(24, "05:00"), CHINA) == local(24, "06:00")
    assert over([NIGHT], local(24, "07:00"), CHINA) is None
    always = Times("always", (Span(),))
    assert over([always], local(23, "00:00"), CHINA) == local(23, "00:00") + dt.timedelta(days=15)


@given(st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1), timezones=st.just(dt.UTC)))
def test_after_its_end_it_does_not_hold_and_before_it_does(at: dt.datetime) -> None:
    end = over([NIGHT], at, CHINA)
    assert (end is not None) is NIGHT.hold(at, CHINA)
    if end is not None:
        assert end > at
        assert not NIGHT.hold(end, CHINA)
        assert NIGHT.hold(end - dt.timedelta(seconds=1), CHINA)

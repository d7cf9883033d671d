"""From the alarm to each step: percentiles, limits that add up, shifts."""

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.reporting.answers import Answered, Mark, Shift, grouped, limit, shift_of, times

AT = dt.datetime(2026, 11, 2, 1, 0, tzinfo=dt.UTC)


def answered(seconds: dict[Mark, float], severity: int = 1, shift: Shift = Shift.EARLY) -> Answered:
    return Answered(AT, severity, "door.forced", shift, seconds)


def test_limit_is_that_of_all_steps_together() -> None:
    assert limit(Mark.ACKNOWLEDGED, 1) == dt.timedelta(seconds=20)
    assert limit(Mark.DECIDED, 1) == dt.timedelta(seconds=60)
    assert limit(Mark.ARRIVED, 1) == dt.timedelta(seconds=20 + 40 + 20 + 30 + 180)


def test_a_notice_has_no_limit() -> None:
    assert limit(Mark.ACKNOWLEDGED, 4) is None


def test_ten_alarms_by_hand() -> None:
    found = [answered({Mark.ACKNOWLEDGED: float(n)}) for n in (2, 4, 6, 8, 10, 12, 14, 16, 30, 60)]
    [one] = times(found)
    assert (one.mark, one.count, one.p50_s, one.p90_s, one.p95_s) == (Mark.ACKNOWLEDGED, 10, 10, 30, 60)
    # 20 s is the limit: 30 and 60 were late.
    assert (one.in_time.count, one.in_time.of) == (8, 10)


def test_on_the_limit_is_in_time() -> None:
    [one] = times([answered({Mark.ACKNOWLEDGED: 20.0})])
    assert one.in_time.count == 1


def test_notices_are_timed_and_never_late() -> None:
    [one] = times([answered({Mark.DECIDED: 9999.0}, severity=4)])
    assert one.count == 1
    assert one.in_time.of == 0
    assert one.in_time.value is None


def test_marks_stand_in_the_order_of_the_life_cycle_and_unreached_ones_are_absent() -> None:
    found = times([answered({Mark.ARRIVED: 9.0, Mark.ACKNOWLEDGED: 1.0}), answered({Mark.ACKNOWLEDGED: 2.0})])
    assert [(one.mark, one.count) for one in found] == [(Mark.ACKNOWLEDGED, 2), (Mark.ARRIVED, 1)]


def test_groups_are_apart() -> None:
    found = grouped(
        (one.shift, one)
        for one in (
            answered({Mark.DECIDED: 5.0}, shift=Shift.NIGHT),
            answered({Mark.DECIDED: 50.0}, shift=Shift.LATE),
        )
    )
    assert {shift: ones[0].p50_s for shift, ones in found.items()} == {Shift.NIGHT: 5.0, Shift.LATE: 50.0}


@pytest.mark.parametrize(
    ("hour", "shift"),
    [(0, Shift.NIGHT), (7, Shift.NIGHT), (8, Shift.EARLY), (15, Shift.EARLY), (16, Shift.LATE)],
)
def test_shift_begins_with_its_hour(hour: int, shift: Shift) -> None:
    assert shift_of(hour) is shift


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60))
def test_percentiles_are_values_that_were_seen_with_enough_below(seconds: list[float]) -> None:
    [one] = times([answered({Mark.DECIDED: value}) for value in seconds])
    for share, value in ((0.5, one.p50_s), (0.9, one.p90_s), (0.95, one.p95_s)):
        assert value in seconds
        # Nearest rank: the smallest value that at least this share does not exceed.
        assert sum(other <= value for other in seconds) >= math.ceil(share * len(seconds) - 1e-9)
        assert sum(other < value for other in seconds) < math.ceil(
            share * len(seconds) - 1e-9
        ) or value == min(seconds)

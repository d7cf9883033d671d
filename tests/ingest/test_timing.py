import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.timing import LIVE_WINDOW, SKEW_LIMIT, settle
from tests.support.clock import NOON

DAY = dt.timedelta(days=1)
S = dt.timedelta(seconds=1)
HOUR = dt.timedelta(hours=1)
TICK = dt.timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("ahead", "offset", "flagged", "corrected", "late", "marks"),
    [
        # A right clock: what the device says is what happened.
        (-1 * S, None, False, -1 * S, False, ()),
        (-1 * S, 0 * S, False, -1 * S, False, ()),
        (4 * S, None, False, 4 * S, False, ()),
        (5 * S, None, False, 5 * S, False, ()),
        # History, told as such.
        (-3600 * S, 0 * S, True, -3600 * S, True, ()),
        (-1 * S, None, True, -1 * S, True, ()),
        # Live means fifteen seconds, to the microsecond.
        (-15 * S, None, False, -15 * S, False, ()),
        (-15 * S - TICK, None, False, -15 * S - TICK, True, ("clock_skew",)),
        # Nothing happens in the future.
        (5 * S + TICK, None, False, 0 * S, False, ("clock_skew",)),
        (DAY, None, False, 0 * S, False, ("clock_skew",)),
        # A day off in either direction, and the heartbeats have shown it.
        (DAY - S, DAY, False, -S, False, ("clock_skew",)),
        (-DAY - S, -DAY, False, -S, False, ("clock_skew",)),
        # A day behind and nobody knows: history or a wrong clock, and nobody to be met either way.
        (-DAY, None, False, -DAY, True, ("clock_skew",)),
        # Older than a day, and nobody knows whether the clock is right: as of when it came.
        (-DAY - TICK, None, False, 0 * S, True, ("clock_skew",)),
        (-DAY - TICK, None, True, 0 * S, True, ("clock_skew",)),
        (-DAY - TICK, 0 * S, False, 0 * S, True, ("clock_skew",)),
        # Unless the device knows it to be history, and its clock has been measured.
        (-3 * DAY, 0 * S, True, -3 * DAY, True, ()),
        (-4 * DAY, -DAY, True, -3 * DAY, True, ("clock_skew",)),
        # An hour old by a clock that is known to be a day off.
        (-DAY - 3600 * S, -DAY, True, -3600 * S, True, ("clock_skew",)),
        (DAY - 3600 * S, DAY, False, -3600 * S, True, ("clock_skew",)),
        # The heartbeats spoke of an older mistake, and the clock has been set since.
        (0 * S, -DAY, False, 0 * S, False, ("clock_skew",)),
        (0 * S, DAY, False, 0 * S, False, ("clock_skew",)),
        # Five seconds off is no skew yet; a tick more is.
        (5 * S, 5 * S, False, 5 * S, False, ()),
        (5 * S + TICK, 5 * S + TICK, False, 0 * S, False, ("clock_skew",)),
    ],
)  # fmt: skip
def test_which_clock_is_believed(ahead, offset, flagged, corrected, late, marks) -> None:
    timing = settle(NOON + ahead, NOON, flagged_late=flagged, known_offset=offset)
    assert timing.device_time == NOON + ahead
    assert timing.corrected_time == NOON + corrected
    assert (timing.late, timing.marks) == (late, marks)


@pytest.mark.parametrize(
    ("ahead", "zone_assumed", "flagged", "marks"),
    [
        (-8 * HOUR - S, True, False, ("wrong_zone", "clock_skew")),
        (9 * HOUR, True, False, ("wrong_zone", "clock_skew")),
        (-8 * HOUR - 20 * S, True, False, ("clock_skew",)),
        (-15 * HOUR, True, False, ("clock_skew",)),
        (-8 * HOUR, False, False, ("clock_skew",)),
        # History may be of any hour.
        (-8 * HOUR, True, True, ()),
        (-S, True, False, ()),
    ],
)
def test_time_without_a_zone_that_is_whole_hours_off_is_of_another_zone(
    ahead: dt.timedelta, zone_assumed: bool, flagged: bool, marks: tuple[str, ...]
) -> None:
    timing = settle(NOON + ahead, NOON, flagged_late=flagged, known_offset=None, zone_assumed=zone_assumed)
    assert timing.marks == marks


@pytest.mark.parametrize("flagged", [True, False])
def test_device_without_a_clock_is_believed_ours(flagged: bool) -> None:
    timing = settle(None, NOON, flagged_late=flagged, known_offset=DAY)
    assert (timing.device_time, timing.corrected_time, timing.late, timing.marks) == (NOON, NOON, flagged, ())


spans = st.timedeltas(dt.timedelta(days=-40_000), dt.timedelta(days=40_000))


@given(spans, st.none() | spans, st.booleans())
def test_event_is_never_in_the_future_and_old_means_late(ahead, offset, flagged) -> None:
    timing = settle(NOON + ahead, NOON, flagged_late=flagged, known_offset=offset)
    assert timing.corrected_time <= NOON + SKEW_LIMIT
    assert timing.late or NOON - timing.corrected_time <= LIVE_WINDOW
    assert timing.late or not flagged
    assert timing.device_time == NOON + ahead


@given(spans.filter(lambda span: abs(span) > SKEW_LIMIT), st.timedeltas(-15 * S, 5 * S))
def test_known_drift_is_taken_out_exactly(drift, ahead) -> None:
    timing = settle(NOON + drift + ahead, NOON, flagged_late=False, known_offset=drift)
    assert (timing.corrected_time, timing.late) == (NOON + ahead, False)


@given(st.timedeltas(-15 * S, 5 * S), st.none() | st.timedeltas(-SKEW_LIMIT, SKEW_LIMIT))
def test_clock_that_is_right_enough_is_left_alone(ahead, offset) -> None:
    timing = settle(NOON + ahead, NOON, flagged_late=False, known_offset=offset)
    assert (timing.corrected_time, timing.late, timing.marks) == (NOON + ahead, False, ())

"""How fast somebody was, from the steps of incidents; and what became of alarms."""

import datetime as dt
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.incidents.deadlines import Timer
from alerts.incidents.lifecycle import State
from alerts.review.counting import Alarm, Outcome, counted, outcome, totals
from alerts.review.responses import percentile, summed, waits

START = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
S = State


def path(*steps):
    return [(state, START + dt.timedelta(seconds=at)) for state, at in steps]


@pytest.mark.parametrize(
    ("severity", "steps", "expected"),
    [
        (
            2,
            path((S.RAISED, 0), (S.ACKNOWLEDGED, 60), (S.CONFIRMED, 181), (S.DISPATCHED, 200)),
            [(Timer.ACKNOWLEDGE, 60, True), (Timer.CONFIRM, 121, False), (Timer.DISPATCH, 19, True)],
        ),
        # A timer that ran out is a row of the same state: it waits on.
        (
            1,
            path((S.RAISED, 0), (S.RAISED, 20), (S.RAISED, 80), (S.CONFIRMED, 90)),
            [(Timer.ACKNOWLEDGE, 90, False)],
        ),
        # Setting out is no arrival, and who gives it back did not come.
        (3, path((S.ACCEPTED, 0), (S.EN_ROUTE, 60), (S.ARRIVED, 300)), [(Timer.ARRIVE, 300, True)]),
        (3, path((S.ACCEPTED, 0), (S.DISPATCHED, 60), (S.ACCEPTED, 90)), [(Timer.ACCEPT, 30, True)]),
        (4, path((S.RAISED, 0), (S.ACKNOWLEDGED, 9_999)), [(Timer.ACKNOWLEDGE, 9_999, None)]),
        (2, path((S.RAISED, 0), (S.AUTO_CLEARED, 5)), []),
        (2, path((S.RAISED, 0), (S.MERGED, 5)), []),
        (2, path((S.CONFIRMED, 0), (S.RESOLVED, 5), (S.REOPENED, 9)), [(Timer.DISPATCH, 5, True)]),
    ],
)
def test_each_timer_waits_for_what_answers_it(severity, steps, expected):
    assert [(one.timer, one.seconds, one.in_time) for one in waits(severity, steps)] == expected


@given(st.lists(st.floats(0, 1e6), min_size=1), st.sampled_from([0.5, 0.9]))
def test_percentile_is_a_value_that_this_share_does_not_exceed(values, share):
    found = percentile(values, share)
    assert found in values
    assert sum(one <= found for one in values) >= share * len(values)
    assert sum(one < found for one in values) < share * len(values)


def test_share_in_time_is_of_those_that_had_a_limit():
    found = [
        *waits(2, path((S.RAISED, 0), (S.CONFIRMED, 10))),
        *waits(2, path((S.RAISED, 0), (S.CONFIRMED, 100))),
        *waits(4, path((S.RAISED, 0), (S.CONFIRMED, 1_000))),
    ]
    (one,) = summed(found)
    assert (one.count, one.p50_s, one.p90_s, one.met) == (3, 100, 1000, 0.5)
    assert summed([]) == []


@pytest.mark.parametrize(
    ("state", "reason", "expected"),
    [
        (S.MERGED, None, None),
        (S.FALSE_ALARM, "courier", Outcome.FALSE),
        (S.FALSE_ALARM, "test_drill", Outcome.NO_ALARM),
        (S.FALSE_ALARM, "duplicate", Outcome.NO_ALARM),
        (S.AUTO_CLEARED, None, Outcome.CLEARED),
        (S.ACKNOWLEDGED, None, Outcome.UNDECIDED),
        (S.DISPATCHED, None, Outcome.CONFIRMED),
        (S.CLOSED, None, Outcome.CONFIRMED),
    ],
)
def test_what_an_alarm_turned_out_to_be(state, reason, expected):
    assert outcome(state, reason) is expected


ALARMS = st.builds(
    Alarm,
    st.sampled_from(["door.forced", "unknown_passed"]),
    st.sampled_from(["entrance", "building"]),
    st.integers(1, 4),
    st.sampled_from(list(State)),
    st.sampled_from([None, "courier", "test_drill"]),
)


@given(st.lists(ALARMS))
def test_every_alarm_is_counted_once_and_what_was_merged_with_its_target(alarms):
    counts = counted(alarms)
    whole = [one for one in alarms if one.state is not State.MERGED]
    assert sum(one.total for one in counts) == len(whole) == totals(counts)["total"]
    assert {(c.kind, c.ring, c.severity): c.total for c in counts} == Counter(
        (a.kind, a.ring, a.severity) for a in whole
    )
    assert all(sum(one.outcomes.values()) == one.total for one in counts)

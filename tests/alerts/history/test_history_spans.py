"""Spans as people say them, and counts that say what a filter would find."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from alerts.history import Group, Outcome, Quick, outcome_of, span_of, tally
from alerts.incidents.lifecycle import State

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = dt.datetime(2026, 11, 23, 12, tzinfo=SHANGHAI)


def local(day: int, hour: int) -> dt.datetime:
    return dt.datetime(2026, 11, day, hour, tzinfo=SHANGHAI)


def test_last_night_is_the_one_that_ended() -> None:
    assert span_of(Quick.NIGHT, NOON, SHANGHAI) == (local(22, 22), local(23, 6))


@pytest.mark.parametrize(("hour", "evening"), [(23, 23), (3, 22)])
def test_a_night_that_goes_on_ends_now(hour: int, evening: int) -> None:
    now = local(23, hour)
    assert span_of(Quick.NIGHT, now, SHANGHAI) == (local(evening, 22), now)


def test_the_last_shift_is_the_one_that_was_handed_over() -> None:
    handed = (local(22, 20), local(23, 8))
    assert span_of(Quick.SHIFT, NOON, SHANGHAI, shift=handed) == handed
    assert span_of(Quick.SHIFT, NOON, SHANGHAI) == (NOON - dt.timedelta(hours=8), NOON)


def test_a_span_of_ones_own_never_ends_before_it_begins_or_after_now() -> None:
    own = (local(23, 10), local(23, 9))
    assert span_of(Quick.OWN, NOON, SHANGHAI, own=own) == (local(23, 9), local(23, 10))
    assert span_of(Quick.OWN, NOON, SHANGHAI, own=(local(23, 10), local(25, 0))) == (local(23, 10), NOON)
    start, end = span_of(Quick.OWN, NOON, SHANGHAI, own=(local(25, 0), None))
    assert start == end == NOON
    assert span_of(Quick.OWN, NOON, SHANGHAI) == (NOON - dt.timedelta(days=1), NOON)


def test_every_state_has_an_outcome() -> None:
    assert {outcome_of(state) for state in State} == set(Outcome)
    assert outcome_of("reopened") is Outcome.REAL
    assert outcome_of("raised") is Outcome.UNDECIDED


def group(count: int, **fields: object) -> Group:
    plain = {
        "severity": 3, "ring": "entrance", "zone": "gate", "kind": "k", "rule": "R-E01", "state": "closed",
        "device": "cam", "reason": "", "drill": False,
    }  # fmt: skip
    return Group(**(plain | fields), count=count)  # type: ignore[arg-type]


GROUPS = [group(5), group(3, ring="common", severity=1), group(2, state="false_alarm", reason="courier")]


def test_a_facet_counts_what_all_other_filters_leave() -> None:
    counts = tally(GROUPS, {"ring": ["entrance"]})
    assert counts["total"] == {"all": 7}
    assert counts["ring"] == {"entrance": 7, "common": 3}, "the other rings stay to be chosen"
    assert counts["severity"] == {3: 7}
    assert counts["outcome"] == {"real": 5, "false": 2}


def test_filters_of_two_facets_leave_what_both_leave() -> None:
    counts = tally(GROUPS, {"ring": ["entrance"], "outcome": ["false"], "zone": []})
    assert counts["total"] == {"all": 2}
    assert counts["ring"] == {"entrance": 2}
    assert counts["outcome"] == {"real": 5, "false": 2}


def test_nothing_chosen_counts_everything() -> None:
    assert tally(GROUPS, {})["total"] == {"all": 10}
    assert tally([], {})["total"] == {}

"""Rest between duties and hours in a week; and the gaps that nobody fills."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.duty.coverage import Covering, Need, coverage, demands
from alerts.duty.limits import Fault, Limits, Stretch, fault, week_hours
from alerts.duty.models import TeamKind

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = dt.datetime(2026, 11, 23, tzinfo=SHANGHAI).astimezone(dt.UTC)
HOUR = dt.timedelta(hours=1)


def stretch(start: float, end: float, *, on_call: bool = False) -> Stretch:
    return Stretch(MONDAY + start * HOUR, MONDAY + end * HOUR, on_call)


@pytest.mark.parametrize(
    ("new", "found"),
    [
        ((16, 24), Fault.REST),  # right after the day shift
        ((26.9, 30), Fault.REST),
        ((27, 30), None),
        ((-8, -3), None),
        ((-8, -2.9), Fault.REST),
        ((15, 20), Fault.ON_DUTY),
    ],
)
def test_rest_is_asked_for_on_both_sides(new, found):
    assert fault([stretch(8, 16)], stretch(*new), Limits(), None, SHANGHAI) is found


def test_being_on_call_needs_no_rest_but_is_not_beside_another_duty():
    mine = [stretch(8, 16)]
    assert fault(mine, stretch(16, 24, on_call=True), Limits(), 8, SHANGHAI) is None
    assert fault(mine, stretch(12, 24, on_call=True), Limits(), None, SHANGHAI) is Fault.ON_DUTY
    assert fault([stretch(16, 24, on_call=True)], stretch(24, 30), Limits(), None, SHANGHAI) is None


def test_hours_of_a_week_end_on_sunday_midnight():
    mine = [stretch(0, 4), stretch(48, 52)]
    assert fault(mine, stretch(96, 98), Limits(), 10, SHANGHAI) is None
    assert fault(mine, stretch(96, 98.1), Limits(), 10, SHANGHAI) is Fault.HOURS
    # Half before Sunday's midnight, half after it.
    assert fault(mine, stretch(166, 170), Limits(), 10, SHANGHAI) is None
    assert week_hours([stretch(166, 170)], SHANGHAI) == {
        dt.date(2026, 11, 23): 2 * HOUR,
        dt.date(2026, 11, 30): 2 * HOUR,
    }


# ── coverage ──────────────────────────────────────────────────────────────────

DEMANDS = demands(["gate"])
END = MONDAY + 24 * HOUR


def covering(who, kind, start=0.0, end=24.0, **more):
    return Covering(who, kind, MONDAY + start * HOUR, MONDAY + end * HOUR, **more)


FULL = [
    covering("o", TeamKind.OPERATOR),
    covering("g", TeamKind.GUARD, post="gate"),
    covering("v1", TeamKind.VOLUNTEER_POLICE),
    covering("v2", TeamKind.PATROL),
]


def spans(found):
    return [(gap.need, (gap.starts_at - MONDAY) / HOUR, (gap.ends_at - MONDAY) / HOUR) for gap in found]


def test_full_day_has_no_gap():
    assert coverage(FULL, DEMANDS, MONDAY, END) == ()


def test_minute_between_two_operators_is_a_gap():
    two = [covering("o1", TeamKind.OPERATOR, 0, 8), covering("o2", TeamKind.OPERATOR, 8 + 1 / 60, 24)]
    found = coverage([*two, *FULL[1:]], DEMANDS, MONDAY, END)
    assert spans(found) == [(Need.OPERATOR, 8, 8 + 1 / 60)]
    assert found[0].have == 0


def test_guard_elsewhere_or_on_call_holds_no_entrance():
    for guard in (
        covering("g", TeamKind.GUARD, post="yard"),
        covering("g", TeamKind.GUARD, post="gate", on_call=True),
    ):
        found = coverage([FULL[0], guard, *FULL[2:]], DEMANDS, MONDAY, END)
        assert (Need.GUARD, 0, 24) in spans(found)


def test_guard_at_the_gate_is_not_one_who_can_be_sent():
    found = coverage(FULL[:3], DEMANDS, MONDAY, END)
    assert spans(found) == [(Need.COMPANION, 0, 24), (Need.RESPONDER, 0, 24)]


def test_adjoining_spans_with_fewer_and_fewer_are_one_gap():
    people = [*FULL[:2], covering("s", TeamKind.PROPERTY, 0, 6)]
    found = coverage([*people, covering("s2", TeamKind.PROPERTY, 0, 2)], DEMANDS, MONDAY, END)
    assert spans(found) == [(Need.RESPONDER, 2, 24)]
    assert found[0].have == 0


def test_two_rows_of_one_person_are_one_person():
    twice = [covering("v1", TeamKind.VOLUNTEER_POLICE), covering("v1", TeamKind.VOLUNTEER_POLICE, 3, 9)]
    assert (Need.RESPONDER, 0, 24) in spans(coverage([*FULL[:2], *twice], DEMANDS, MONDAY, END))


_KINDS = st.sampled_from([TeamKind.OPERATOR, TeamKind.GUARD, TeamKind.PATROL, TeamKind.PROPERTY])
_DUTIES = st.lists(
    st.builds(
        lambda who, kind, start, length, gate, call: covering(
            who + kind, kind, start / 4, (start + length) / 4, post="gate" if gate else None, on_call=call
        ),
        st.sampled_from("abc"),
        _KINDS,
        st.integers(-20, 90),
        st.integers(1, 60),
        st.booleans(),
        st.booleans(),
    ),
    max_size=12,
)


@given(_DUTIES, st.integers(0, 95))
def test_gaps_are_exactly_where_a_look_at_the_quarter_hour_finds_too_few(duties, quarter):
    look = MONDAY + quarter / 4 * HOUR
    whole = coverage(duties, DEMANDS, MONDAY, END)
    there = {(gap.need, gap.zone) for gap in whole if gap.starts_at <= look < gap.ends_at}
    alone = coverage(duties, DEMANDS, look, look + HOUR / 4)
    assert there == {(gap.need, gap.zone) for gap in alone}


@given(_DUTIES)
def test_more_people_never_make_a_gap_of_a_demand(duties):
    before = coverage(duties, DEMANDS, MONDAY, END)
    after = coverage([*duties, *FULL], DEMANDS, MONDAY, END)
    assert after == ()
    assert all(gap.starts_at < gap.ends_at for gap in before)

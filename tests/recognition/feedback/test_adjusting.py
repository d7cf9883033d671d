import dataclasses

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recognition.feedback.adjusting import (
    ANSWERS_LEAST,
    FALSE_LEAST,
    SHIFT_MOST,
    STEP_MOST,
    least_rate,
    most_rate,
    move,
)
from recognition.feedback.score import Tally

GATE = 1e-3

distances = st.lists(st.floats(0.0, 0.3), max_size=40).map(lambda found: tuple(sorted(found)))


@st.composite
def tallies(draw):
    """Any counts that can be: judged passages are among all."""
    right, missed, strangers = (draw(st.integers(0, 80)) for _ in range(3))
    inside, outside = draw(distances), draw(distances)
    false = len(inside)
    return Tally(
        named=right + false + draw(st.integers(0, 5_000)),
        unnamed=missed + strangers + false + draw(st.integers(0, 60_000)),
        right=right,
        false=false,
        missed=missed,
        strangers=strangers,
        false_inside=inside,
        missed_outside=outside[:missed],
    )


shifts = st.integers(-100, 100).map(lambda thousandths: thousandths / 1000)
promises = st.sampled_from([1e-4, 1e-3, 1e-2, 0.1])

BAD_GATE = Tally(
    named=5_000,
    unnamed=1_000,
    right=20,
    false=10,
    strangers=40,
    false_inside=tuple(k / 100 for k in range(10)),
)
DIM_GATE = Tally(
    named=60,
    unnamed=60_000,
    right=60,
    missed=40,
    strangers=60,
    missed_outside=tuple(k / 500 for k in range(40)),
)


def test_false_names_beyond_the_promise_ask_for_as_much_strictness_as_it_takes():
    found = move(BAD_GATE, 0.0, GATE)
    # Of 1,000 strangers' passages at most 3 false names are within 1 in 1,000 by chance: 7 have to go.
    assert found.shift == -0.05
    assert found.grounds["towards"] == "stricter"
    assert found.grounds["rate_low"] == pytest.approx(0.0048, abs=1e-4)
    assert move(dataclasses.replace(BAD_GATE, false_inside=(0.001,) * 10), 0.0, GATE).shift == -0.005
    assert move(dataclasses.replace(BAD_GATE, false_inside=(0.021,) * 10), 0.0, GATE).shift == -0.025


def test_promise_that_may_hold_moves_nothing():
    assert move(dataclasses.replace(BAD_GATE, unnamed=50_000), 0.0, GATE) is None
    assert move(BAD_GATE, 0.0, 0.01) is None


@pytest.mark.parametrize(
    "changes", [{"strangers": ANSWERS_LEAST - 21 - FALSE_LEAST, "false": 3}, {"false": 2}]
)
def test_few_answers_move_nothing(changes):
    assert move(dataclasses.replace(BAD_GATE, unnamed=30, **changes), 0.0, GATE) is None


def test_many_misses_without_a_false_name_ask_for_looseness():
    found = move(DIM_GATE, 0.0, 0.01)
    # Half of the missed lay within 0.04 of the threshold, where a name still counts.
    assert found.shift == 0.045
    assert found.grounds["towards"] == "looser"
    assert found.grounds["rate_high"] < 0.001


@pytest.mark.parametrize(
    "changes",
    [
        {"named": 60_000},  # names that nobody looked at may all be false
        {"right": 0},
        {"missed": 9},  # too few misses
        {"missed": 10, "strangers": 140},  # too small a share of misses
        {"missed_outside": ()},  # nobody knows how far outside they lay
        {"false": 1, "false_inside": (0.2,)},  # one false name, however far
    ],
)
def test_nothing_gets_looser_on_weaker_grounds(changes):
    assert move(dataclasses.replace(DIM_GATE, **changes), 0.0, 0.01) is None


@given(tallies(), shifts, promises)
def test_every_move_is_bounded_has_its_grounds_and_is_a_move(counts, shift, promised):
    found = move(counts, shift, promised)
    if found is None:
        return
    assert 0 < abs(found.shift - shift) <= STEP_MOST + 1e-9
    assert abs(found.shift) <= SHIFT_MOST
    assert counts.judged >= ANSWERS_LEAST
    if found.shift < shift:
        assert found.grounds["towards"] == "stricter"
        assert counts.false >= FALSE_LEAST
        assert least_rate(counts) > promised
    else:
        assert found.grounds["towards"] == "looser"
        assert counts.false == 0
        assert most_rate(counts) < promised / 10


@given(tallies(), promises)
def test_what_was_seen_at_least_is_never_more_than_what_may_be_at_most(counts, promised):
    assume(counts.false <= counts.unnamed)
    assert 0 <= least_rate(counts) <= 1
    assert 0 <= most_rate(counts) <= 1


@given(tallies(), shifts, promises, st.floats(0.0, 0.3))
def test_one_more_false_name_never_makes_it_looser(counts, shift, promised, inside):
    """Monotone: with the same passages, a further false name moves the proposal down or not at all."""
    more = dataclasses.replace(
        counts,
        named=counts.named + 1,
        false=counts.false + 1,
        false_inside=tuple(sorted((*counts.false_inside, inside))),
    )
    assume(more.false <= more.unnamed)
    before, after = move(counts, shift, promised), move(more, shift, promised)
    assert (after.shift if after else shift) <= (before.shift if before else shift)


@given(tallies(), st.sampled_from([-0.4, -0.11, 0.11, 0.4]), promises)
def test_threshold_that_was_set_farther_is_not_pulled_back(counts, shift, promised):
    found = move(counts, shift, promised)
    if found is not None:
        assert abs(found.shift) < abs(shift), "only towards the calibrated threshold"
        assert abs(found.shift - shift) >= 0.005

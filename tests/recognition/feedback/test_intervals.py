import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.feedback.intervals import lower, share, upper


# Published tables of the exact 95 % interval (Clopper & Pearson; Newcombe, Stat. Med. 17, 1998, table I).
@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        (81, 263, 0.2527, 0.3676),
        (15, 148, 0.0578, 0.1617),
        (0, 20, 0.0, 0.1684),
        (1, 29, 0.0009, 0.1776),
        (0, 30, 0.0, 0.1157),
        (30, 30, 0.8843, 1.0),
        (3, 30, 0.0211, 0.2653),
    ],
)
def test_bounds_are_the_published_ones(count, of, low, high):
    found = share(count, of)
    assert found.value == count / of
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_of_nothing_everything_is_possible():
    found = share(0, 0)
    assert (found.value, found.low, found.high) == (None, 0.0, 1.0)


@pytest.mark.parametrize(("count", "of"), [(-1, 3), (4, 3)])
def test_more_than_all_is_refused(count, of):
    with pytest.raises(ValueError, match="at least as many"):
        share(count, of)


def tail(count, of, rate):
    """The binomial tail by its definition."""
    return sum(math.comb(of, k) * rate**k * (1 - rate) ** (of - k) for k in range(count, of + 1))


@given(st.integers(1, 120).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_at_each_bound_the_count_is_in_the_tail_of_two_and_a_half_percent(drawn):
    count, of = drawn
    low, high = lower(count, of), upper(count, of)
    assert 0 <= low <= count / of <= high <= 1
    if count:
        assert tail(count, of, low) == pytest.approx(0.025, rel=1e-6)
    if count < of:
        assert 1 - tail(count + 1, of, high) == pytest.approx(0.025, rel=1e-6)


@given(st.integers(0, 300), st.integers(1, 50_000))
def test_more_errors_raise_both_bounds_and_more_passages_lower_them(count, passages):
    of = count + passages
    assert lower(count, of) < lower(count + 1, of)
    assert upper(count, of) <= upper(count + 1, of)
    assert upper(count, of + 1) <= upper(count, of)

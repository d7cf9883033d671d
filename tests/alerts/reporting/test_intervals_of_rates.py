"""Wilson's interval against values worked out by hand and against its defining equation."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.reporting.intervals import Z, rate


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        # By hand: (p + z²/2n ± z√(p(1-p)/n + z²/4n²)) / (1 + z²/n) with z = 1.96.
        (1, 2, 0.0945, 0.9055),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_interval_is_wilsons(count: int, of: int, low: float, high: float) -> None:
    found = rate(count, of)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert found.value == count / of


def test_of_nothing_everything_is_possible() -> None:
    assert rate(0, 0).value is None
    assert (rate(0, 0).low, rate(0, 0).high) == (0.0, 1.0)


@pytest.mark.parametrize(("count", "of"), [(-1, 2), (3, 2)])
def test_what_is_no_share_is_refused(count: int, of: int) -> None:
    with pytest.raises(ValueError, match="share"):
        rate(count, of)


@given(st.integers(1, 5000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_bounds_solve_the_score_equation_and_hold_the_share(pair: tuple[int, int]) -> None:
    count, of = pair
    found, share = rate(count, of), count / of
    assert 0 <= found.low <= share <= found.high <= 1
    for bound in (found.low, found.high):
        if 0 < bound < 1:
            # A bound is the rate from which the share seen is just 1.96 standard errors away.
            assert math.isclose(abs(share - bound), Z * math.sqrt(bound * (1 - bound) / of), abs_tol=1e-9)


@given(st.integers(1, 400), st.integers(2, 20))
def test_more_of_the_same_says_more(of: int, times: int) -> None:
    few, many = rate(of // 2, of), rate(of // 2 * times, of * times)
    assert many.high - many.low < few.high - few.low

"""What could not have been seen, as people read it."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.rules.coverage import ZoneCoverage
from alerts.rules.rule import Blind
from alerts.rules.unseen import Sight, told

TWO = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)
THREE = TWO + dt.timedelta(hours=1)


def minutes(n: float) -> dt.datetime:
    return TWO + dt.timedelta(minutes=n)


def zone(name: str, devices: tuple[str, ...], *blind: tuple[str, float, float]) -> ZoneCoverage:
    gone = tuple(Blind(device, minutes(start), minutes(end), "offline") for device, start, end in blind)
    return ZoneCoverage(name, "entrance", devices, gone, 0.0, ())


def test_a_gate_whose_only_camera_was_away_was_blind_for_as_long() -> None:
    (gate,) = told([zone("gate", ("a",), ("a", 20, 34))], TWO, THREE)
    assert (gate.sight, gate.dark_s, gate.partly_s) == (Sight.BLIND, 14 * 60, 0)
    assert [part.sight for part in gate.segments] == [Sight.WHOLE, Sight.BLIND, Sight.WHOLE]
    assert (gate.segments[1].first, gate.segments[1].last) == pytest.approx((20 / 60, 34 / 60))


def test_of_two_cameras_only_the_time_in_which_both_were_away_is_blind() -> None:
    (gate,) = told([zone("gate", ("a", "b"), ("a", 10, 30), ("b", 20, 40))], TWO, THREE)
    assert [part.sight for part in gate.segments] == [
        *(Sight.WHOLE, Sight.PARTLY, Sight.BLIND, Sight.PARTLY, Sight.WHOLE)
    ]
    assert (gate.dark_s, gate.partly_s) == (600, 1200)


def test_where_no_device_looks_is_never_covered() -> None:
    (roof,) = told([zone("roof", ())], TWO, THREE)
    assert roof.sight is Sight.UNWATCHED
    assert [(part.first, part.last) for part in roof.segments] == [(0.0, 1.0)]


def test_the_worst_stands_first() -> None:
    found = told(
        [
            zone("d", ("a",)),
            zone("c", ()),
            zone("b", ("a", "b"), ("a", 0, 30)),
            zone("a", ("a",), ("a", 0, 10)),
            zone("z", ("a",), ("a", 0, 20)),
        ],
        TWO,
        THREE,
    )
    assert [one.zone for one in found] == ["z", "a", "b", "c", "d"]


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(-30, 90), st.integers(1, 60)).map(
            lambda one: (one[0], one[1], one[1] + one[2])
        ),
        max_size=8,
    )
)
def test_segments_fill_the_time_without_a_gap(blind) -> None:
    within = [one for one in blind if one[2] > 0 and one[1] < 60]
    (found,) = told([zone("gate", ("a", "b", "c"), *within)], TWO, THREE)
    assert found.segments[0].first == 0
    assert found.segments[-1].last == pytest.approx(1)
    edges = [(one.end, other.start) for one, other in zip(found.segments, found.segments[1:], strict=False)]
    assert all(end == start for end, start in edges)
    assert found.dark_s + found.partly_s <= 3600

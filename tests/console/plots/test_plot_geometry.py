"""Shapes of plots: where they lie, that bars begin at zero, that nothing leaves the sheet."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.plots import Bar, Interval, Part, Plot, Point, bars, columns, heat, intervals, line
from console.plots.heat import level
from console.plots.scales import ticks, time_ticks
from console.plots.shapes import Dot, Line, Path, Rect, Word, shortened, width_of


def rects(plot: Plot) -> list[Rect]:
    return [one for one in plot.shapes if isinstance(one, Rect)]


@pytest.mark.parametrize(
    ("most", "expected"),
    [(0, [0, 1]), (3, [0, 1, 2, 3]), (47, [0, 10, 20, 30, 40, 50]), (1000, [0, 200, 400, 600, 800, 1000])],
)
def test_ticks_are_round_and_begin_at_zero(most: float, expected: list[float]) -> None:
    assert ticks(most) == expected


@given(st.floats(0.01, 1e7), st.integers(3, 8))
def test_ticks_reach_the_largest_at_even_distances(most: float, about: int) -> None:
    found = ticks(most, about)
    assert found[0] == 0
    assert found[-1] >= most * (1 - 1e-9)
    assert len(found) <= about + 2
    steps = {round(b - a, 6) for a, b in itertools.pairwise(found)}
    assert max(steps) - min(steps) < 1e-3


def test_times_have_steps_that_a_clock_has() -> None:
    assert time_ticks(100, 4) == [0, 30, 60, 90, 120]
    assert time_ticks(7 * 86400, 4)[1] == 2 * 86400


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000)), min_size=1, max_size=20))
def test_bars_are_as_long_as_their_numbers_and_stay_on_the_sheet(values: list[tuple[int, int]]) -> None:
    plot = bars(
        "t",
        "t",
        [Bar(f"n{n}", (Part(a, "fill-a", "a"), Part(b, "fill-b", "b"))) for n, (a, b) in enumerate(values)],
    )
    drawn = rects(plot)
    if not any(map(sum, values)):
        assert plot.empty
        return
    lengths = [value for pair in values for value in pair if value]
    assert len(drawn) == len(lengths)
    per = max(one.width for one in drawn) / max(lengths)
    for one, value in zip(drawn, lengths, strict=True):
        assert one.width == pytest.approx(value * per, rel=0.02, abs=0.02)
        assert one.x >= 0
        assert one.x + one.width <= plot.width
    axis = next(one for one in plot.shapes if isinstance(one, Line) and one.kind == "axis")
    first = {row: min(one.x for one in drawn if one.y == row) for row in {one.y for one in drawn}}
    assert set(first.values()) == {axis.x1}


def test_stacked_columns_stand_upon_each_other() -> None:
    plot = columns("t", "t", [Bar("1", (Part(3, "fill-a", "a"), Part(1, "fill-b", "b")))])
    lower, upper = rects(plot)
    assert upper.y + upper.height == pytest.approx(lower.y)
    assert lower.height == pytest.approx(3 * upper.height)
    axis = next(one for one in plot.shapes if isinstance(one, Line) and one.kind == "axis")
    assert lower.y + lower.height == pytest.approx(axis.y1)


def test_key_names_what_is_stacked_and_a_single_kind_needs_none() -> None:
    both = [Bar("1", (Part(3, "fill-a", "real"), Part(1, "fill-b", "false")))]
    assert bars("t", "t", both).key == (("fill-a", "real"), ("fill-b", "false"))
    assert bars("t", "t", [Bar("1", (Part(3, "fill-a", "real"), Part(0, "fill-b", "false")))]).key == ()


def test_every_bar_says_its_number_in_words() -> None:
    [one] = rects(bars("t", "t", [Bar("东门", (Part(1200, "fill-a", "告警"),))]))
    assert one.hint == "东门 · 告警: 1,200"


def test_heat_map_has_a_field_for_each_hour_and_says_its_number() -> None:
    rows = [("Mon", [0] * 23 + [4]), ("Tue", [1] * 24)]
    plot = heat("t", "t", rows, [f"{hour:02d}" for hour in range(24)])
    assert len(rects(plot)) == 48
    assert {one.kind for one in rects(plot)} == {"heat-0", "heat-5", "heat-2"}
    numbers = [one.text for one in plot.shapes if isinstance(one, Word) and one.kind.startswith("on-")]
    assert sorted(numbers) == ["1"] * 24 + ["4"]


@pytest.mark.parametrize(
    ("value", "most", "deep"), [(0, 9, 0), (1, 100, 1), (20, 100, 1), (21, 100, 2), (9, 9, 5)]
)
def test_fields_are_as_dark_as_their_share(value: int, most: int, deep: int) -> None:
    assert level(value, most) == deep


def test_interval_lies_where_its_shares_are() -> None:
    plot = intervals("t", "t", [Interval("R", 0.0, 0.25, 1.0, "1/4")])
    whisker = next(one for one in plot.shapes if isinstance(one, Line) and one.kind == "whisker")
    [dot] = [one for one in plot.shapes if isinstance(one, Dot)]
    assert dot.x == pytest.approx(whisker.x1 + 0.25 * (whisker.x2 - whisker.x1))
    assert any(isinstance(one, Word) and one.text == "1/4" for one in plot.shapes)


def test_line_stops_where_nothing_was_measured() -> None:
    points = [Point("1", 2, 1, 3), Point("2", 3, 2, 4), Point("3", None), Point("4", 1, 0, 2)]
    plot = line("t", "t", points, [0, 2, 4], str)
    assert len([one for one in plot.shapes if isinstance(one, Path) and one.kind == "line"]) == 1
    assert len([one for one in plot.shapes if isinstance(one, Dot)]) == 3


@pytest.mark.parametrize(
    "plot",
    [
        bars("t", "t", []),
        columns("t", "t", [Bar("1", (Part(0, "fill-a", "a"),))]),
        heat("t", "t", [("Mon", [0] * 24)], ["0"] * 24),
        intervals("t", "t", []),
        line("t", "t", [Point("1", None)], [0, 1], str),
    ],
)
def test_nothing_to_draw_is_an_empty_plot(plot: Plot) -> None:
    assert plot.empty


@given(st.text(min_size=1), st.floats(20, 300))
def test_a_name_is_cut_to_its_room(text: str, room: float) -> None:
    cut = shortened(text, room)
    assert cut == text or (width_of(cut) <= room and cut.endswith("…"))

"""How long a visit is, as the buttons of a pass have it."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from registry.errors import RefusedError
from registry.passes.spans import Span, ends, fitting, tomorrow

HERE = ZoneInfo("Asia/Shanghai")


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=HERE)


@pytest.mark.parametrize(
    ("span", "begins", "over"),
    [
        (Span.HOURS_2, "20T23:30", "21T01:30"),
        (Span.TODAY, "20T09:00", "20T23:59:59"),
        (Span.TODAY, "20T21:59", "20T23:59:59"),
        (Span.TODAY, "20T22:00", "21T08:00"),
        (Span.TONIGHT, "20T15:00", "21T08:00"),
        (Span.TONIGHT, "21T01:30", "21T08:00"),
        (Span.TONIGHT, "21T08:00", "22T08:00"),
    ],
)
def test_a_word_means_a_time(span: Span, begins: str, over: str) -> None:
    assert ends(span, at(begins)) == at(over)


def test_days_count_the_first_one_in() -> None:
    assert ends(Span.DAYS, at("20T09:00"), 1) == at("20T23:59:59")
    assert ends(Span.DAYS, at("20T09:00"), 3) == at("22T23:59:59")


@pytest.mark.parametrize("days", [0, -1, 91])
def test_so_many_days_are_refused(days: int) -> None:
    with pytest.raises(RefusedError) as refused:
        ends(Span.DAYS, at("20T09:00"), days)
    assert refused.value.code == "pass_days_range"


HOUR = dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("span", "longest", "over"),
    [
        (Span.TODAY, 24 * HOUR, "20T23:59:59"),
        (Span.TODAY, 3 * HOUR, "20T12:00"),
        (Span.TONIGHT, 12 * HOUR, "20T21:00"),
        (Span.HOURS_2, HOUR, "20T10:00"),
    ],
)
def test_a_word_is_no_longer_than_its_kind_may_be(span: Span, longest: dt.timedelta, over: str) -> None:
    assert fitting(span, at("20T09:00"), longest) == at(over)


def test_days_that_were_counted_out_are_not_shortened() -> None:
    assert fitting(Span.DAYS, at("20T09:00"), 24 * HOUR, 3) == at("22T23:59:59")


def test_tomorrow_is_the_whole_day_or_what_there_is_of_it_from_the_morning_on() -> None:
    assert tomorrow(at("20T09:00"), 24 * HOUR) == (at("21T00:00"), at("21T23:59:59"))
    assert tomorrow(at("20T23:59"), 12 * HOUR) == (at("21T08:00"), at("21T20:00"))
    with pytest.raises(RefusedError) as refused:
        tomorrow(at("20T09:00"), 3 * HOUR)
    assert refused.value.code == "pass_hour_needed"

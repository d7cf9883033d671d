"""How long a visit is, as the buttons of a pass have it."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from registry.errors import RefusedError
from registry.passes.spans import Span, ends

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

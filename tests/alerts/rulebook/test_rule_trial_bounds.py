"""When a trial must stop: it reads too much, takes too long, or nobody looks at it. Pure."""

import datetime as dt

import pytest

from alerts.rulebook import trials

NOTHING = dt.timedelta()
SECOND = dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({}, None),
        ({"seen": trials.SEEN_MOST}, None),
        ({"seen": trials.SEEN_MOST + 1}, "too_much"),
        ({"lasted": trials.LASTS_MOST + SECOND}, "too_long"),
        ({"alone": trials.LEFT_AFTER}, None),
        ({"alone": trials.LEFT_AFTER + SECOND}, "left"),
        # Whoever left it need not be told that it was too much, but whoever stays must be.
        ({"seen": trials.SEEN_MOST + 1, "alone": trials.LEFT_AFTER + SECOND}, "too_much"),
    ],
)
def test_a_trial_stops_in_time(facts: dict, why: str | None) -> None:
    assert trials.must_stop(**({"seen": 0, "lasted": NOTHING, "alone": NOTHING} | facts)) == why

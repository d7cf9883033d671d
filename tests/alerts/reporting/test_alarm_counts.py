"""Counts of alarms: what counts, by local hour and day, who is surely wrong."""

import datetime as dt
from zoneinfo import ZoneInfo

from alerts.incidents.lifecycle import State
from alerts.reporting import alarms
from alerts.reporting.alarms import Tallied
from alerts.review.counting import Outcome

SHANGHAI = ZoneInfo("Asia/Shanghai")


def tallied(number: int, state: State, **changes: object) -> Tallied:
    facts: dict[str, object] = {
        "kind": "door.forced",
        "ring": "building",
        "severity": 2,
        "reason": None,
        "rule": "R-B05",
        "device": "door-1",
        "held": False,
    }
    return Tallied(number=number, state=state, **(facts | changes))  # type: ignore[arg-type]


def test_what_became_part_of_another_is_counted_there() -> None:
    found = [tallied(3, State.CLOSED), tallied(5, State.MERGED)]
    assert alarms.total(found) == 3
    assert alarms.outcomes(found)[Outcome.CONFIRMED] == 3


def test_who_was_wrong_once_in_one_stands_behind_who_was_wrong_often() -> None:
    found = [
        tallied(1, State.FALSE_ALARM, reason="courier", device="new"),
        tallied(40, State.FALSE_ALARM, reason="animal", device="old"),
        tallied(10, State.CLOSED, device="old"),
    ]
    worst = alarms.wrongness(found, lambda one: one.device)
    assert [(one.key, one.rate.count, one.rate.of) for one in worst] == [("old", 40, 50), ("new", 1, 1)]


def test_duplicates_tests_and_what_nobody_judged_say_nothing_of_a_rule() -> None:
    found = [
        tallied(4, State.FALSE_ALARM, reason="duplicate"),
        tallied(4, State.FALSE_ALARM, reason="test_drill"),
        tallied(4, State.AUTO_CLEARED),
        tallied(4, State.RAISED),
    ]
    assert alarms.wrongness(found, lambda one: one.rule) == []


def test_hours_and_days_are_the_compounds_own() -> None:
    # 17:30 UTC on Sunday is 01:30 on Monday in Shanghai.
    raised = [(dt.datetime(2026, 11, 22, 17, 30, tzinfo=dt.UTC), 2)]
    grid = alarms.heat(raised, SHANGHAI)
    assert grid[0][1] == 2
    assert sum(map(sum, grid)) == 2
    days = alarms.daily(raised, dt.date(2026, 11, 22), dt.date(2026, 11, 24), SHANGHAI)
    assert [number for _, number in days] == [0, 2, 0]


def test_change_is_said_only_of_something() -> None:
    assert alarms.change(15, 10) == 0.5
    assert alarms.change(3, 0) is None


def test_a_public_count_never_points_at_one_household() -> None:
    assert alarms.public([0, 1, 2, 3, 40]) == [0, None, None, 3, 40]


def test_largest_group_comes_first() -> None:
    found = [tallied(2, State.CLOSED, ring="common"), tallied(7, State.CLOSED, ring="entrance")]
    assert list(alarms.split(found, lambda one: one.ring, lambda one: str(one.severity))) == [
        "entrance",
        "common",
    ]

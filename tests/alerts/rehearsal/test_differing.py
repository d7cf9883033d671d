"""What a draft would have made different: each incident once, by what matters most of it. Pure."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from alerts.rehearsal import Told, compare
from alerts.rehearsal.differing import What, differ

ZONE = ZoneInfo("Asia/Shanghai")
AT = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def told(name: str, minute: int = 0, *, severity: int = 3, late_s: float = 0, **changes: Any) -> Told:
    at = AT + minute * MINUTE
    facts: dict[str, Any] = {
        "key": name, "rule": "R-E01", "kind": "person.unknown_passed", "ring": "entrance", "zone": "gate",
        "device": "cam", "lane": "walk", "severity": severity, "graver_at": at, "happened_at": at,
        "raised_at": at + dt.timedelta(seconds=late_s), "last_at": at, "open_until": at + MINUTE,
        "cleared_at": None, "signals": 1, "reason": "unknown_passed",
        "said": frozenset({("R-E01", name, "")}),
    }  # fmt: skip
    return Told(**(facts | changes))


def test_each_change_is_told_by_what_matters_most_and_the_rest_is_counted_as_it_was() -> None:
    current = [told("gone"), told("same"), told("graver"), told("milder", severity=2), told("later")]
    draft = [
        told("new"), told("same"), told("graver", severity=2), told("milder", severity=3, late_s=5),
        told("later", late_s=15),
    ]  # fmt: skip
    outlook = differ(compare(draft, current, ZONE), most=10)
    assert [one.what for one in outlook.differences] == [
        What.NEW, What.GONE, What.GRAVER, What.MILDER, What.LATER,
    ]  # fmt: skip
    assert outlook.same == 1
    assert (outlook.differences[1].severity, outlook.differences[1].was) == (None, 3)
    assert (outlook.differences[2].severity, outlook.differences[2].was) == (2, 3)
    assert outlook.differences[4].later_s == 15


def test_what_is_too_much_to_tell_is_counted() -> None:
    current = [told(f"i-{minute}", minute * 10) for minute in range(7)]
    outlook = differ(compare([], current, ZONE), most=3)
    assert (len(outlook.differences), outlook.more, outlook.same) == (3, 4, 0)


def test_kinds_of_which_nothing_is_different_are_not_told() -> None:
    same = told("door", kind="door.forced")
    outlook = differ(compare([same], [same, told("gone")], ZONE), most=10)
    assert list(outlook.kinds) == ["person.unknown_passed"]
    assert outlook.kinds["person.unknown_passed"].gone == 1


def test_of_the_same_rules_nothing_is_different() -> None:
    some = [told("a"), told("b", 30)]
    outlook = differ(compare(some, some, ZONE), most=10)
    assert (outlook.differences, outlook.kinds, outlook.same) == ([], {}, 2)

"""What a round came to: a function of its plan, its visits and the time. Pure.

What cannot be seen, whatever is counted: a fresh photograph of a code on the wall, scanned elsewhere at
the pace of a walk. Codes that are renewed make old photographs worthless, and a tag or a reader is harder
to carry away; a picture that two people share shows where one of them was elsewhere at that moment.
"""

import datetime as dt
import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

AT_ONCE: Final = dt.timedelta(seconds=5)
"""Nobody is at two points within this, where the route says no more of how far they lie apart."""


class Finding(enum.StrEnum):
    """What may be wrong with a round or a visit."""

    MISSED = "missed"  # 漏巡
    LATE = "late"
    WRONG_ORDER = "wrong_order"
    TOO_FAST = "too_fast"  # driven by, or read off a sheet
    TOO_SLOW = "too_slow"
    REPEATED = "repeated"  # the same point once more
    OTHER_ROUTE = "other_route"
    OUT_OF_TIME = "out_of_time"  # before or after the round's time: counts for nothing
    OFF_DUTY = "off_duty"
    TWO_PLACES = "two_places"  # one person at two points at once: a picture of a code, or a borrowed phone
    OLD_CODE = "old_code"  # a code that has been replaced: a picture of it
    TOLD_LATE = "told_late"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class Plan:
    """A round as it was planned. `points` are checkpoints in their order, each once."""

    points: tuple[str, ...]
    due_from: dt.datetime
    due_until: dt.datetime
    in_order: bool = False
    least: dt.timedelta | None = None
    most: dt.timedelta | None = None
    tolerance: dt.timedelta = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Seen:
    """A visit. `client` is what makes it one; `by` is a responder, None where nobody is known."""

    client: str
    point: str
    at: dt.datetime
    by: str | None = None
    told_late: bool = False
    by_hand: bool = False
    old_code: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Something found of a point; `client` names the visit, empty where there is none."""

    what: Finding
    point: str
    client: str = ""
    at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """`visited` is when each point was first come by in time; `is_over`: no visit can count any more."""

    findings: tuple[Found, ...]
    visited: Mapping[str, dt.datetime]
    missing: tuple[str, ...]
    is_over: bool

    @property
    def is_done(self) -> bool:
        return not self.missing


Duty = Mapping[str, Sequence[tuple[dt.datetime, dt.datetime]]]
"""When each responder was on duty. Of whom nothing is known, nothing is said."""


@dataclass(frozen=True, slots=True)
class _Walk:
    plan: Plan
    visits: Sequence[Seen]
    findings: list[Found] = field(default_factory=list)

    def note(self, what: Finding, seen: Seen) -> None:
        self.findings.append(Found(what, seen.point, seen.client, seen.at))


def judge(
    plan: Plan, visits: Iterable[Seen], now: dt.datetime, duty: Duty = MappingProxyType({})
) -> Judgement:
    """What the visits come to at `now`. The same visit twice, or in another order, changes nothing."""
    once = {seen.client: seen for seen in sorted(visits, key=_rank, reverse=True)}
    walk = _Walk(plan, sorted(once.values(), key=lambda seen: _rank_in(plan, seen)))
    first = _first(walk)
    if plan.in_order:
        _order(walk, first)
    _pace(walk, first)
    _places(walk)
    _people(walk, duty)
    last = plan.due_until + plan.tolerance
    missing = tuple(point for point in plan.points if point not in first)
    if now > last:
        walk.findings.extend(Found(Finding.MISSED, point) for point in missing)
    found = sorted(set(walk.findings), key=lambda one: (one.at or last, one.point, one.client, one.what))
    return Judgement(tuple(found), {point: seen.at for point, seen in first.items()}, missing, now > last)


def _rank(seen: Seen) -> tuple[dt.datetime, str, bool, str, bool, bool]:
    return (seen.at, seen.point, seen.told_late, seen.by or "", seen.by_hand, seen.old_code)


def _rank_in(plan: Plan, seen: Seen) -> tuple[dt.datetime, int, str]:
    # Of one moment the order of the plan is taken: two walk together, and clocks are coarse.
    number = plan.points.index(seen.point) if seen.point in plan.points else len(plan.points)
    return (seen.at, number, seen.client)


def _first(walk: _Walk) -> dict[str, Seen]:
    """The visit by which each point counts, in order of time."""
    plan = walk.plan
    first: dict[str, Seen] = {}
    for seen in walk.visits:
        if seen.old_code:
            walk.note(Finding.OLD_CODE, seen)
        elif seen.point not in plan.points:
            walk.note(Finding.OTHER_ROUTE, seen)
        elif not plan.due_from - plan.tolerance <= seen.at <= plan.due_until + plan.tolerance:
            walk.note(Finding.OUT_OF_TIME, seen)
        elif seen.point in first:
            walk.note(Finding.REPEATED, seen)
        else:
            first[seen.point] = seen
            if seen.at > plan.due_until:
                walk.note(Finding.LATE, seen)
            if seen.told_late:
                walk.note(Finding.TOLD_LATE, seen)
            if seen.by_hand:
                walk.note(Finding.BY_HAND, seen)
    return first


def _order(walk: _Walk, first: Mapping[str, Seen]) -> None:
    furthest = -1
    for point, seen in first.items():
        number = walk.plan.points.index(point)
        if number < furthest:
            walk.note(Finding.WRONG_ORDER, seen)
        furthest = max(furthest, number)


def _pace(walk: _Walk, first: Mapping[str, Seen]) -> None:
    before: Seen | None = None
    for seen in first.values():
        if before is not None:
            took = seen.at - before.at
            if walk.plan.least is not None and took < walk.plan.least:
                walk.note(Finding.TOO_FAST, seen)
            if walk.plan.most is not None and took > walk.plan.most:
                walk.note(Finding.TOO_SLOW, seen)
        before = seen


def _places(walk: _Walk) -> None:
    """One person at two points within less than anybody walks."""
    last: dict[str, Seen] = {}
    for seen in walk.visits:
        if seen.by is None or seen.by_hand:
            continue
        before = last.get(seen.by)
        if before is not None and before.point != seen.point and seen.at - before.at < AT_ONCE:
            walk.note(Finding.TWO_PLACES, seen)
        last[seen.by] = seen


def _people(walk: _Walk, duty: Duty) -> None:
    for seen in walk.visits:
        hours = duty.get(seen.by) if seen.by is not None else None
        if hours is not None and not any(begins <= seen.at < ends for begins, ends in hours):
            walk.note(Finding.OFF_DUTY, seen)

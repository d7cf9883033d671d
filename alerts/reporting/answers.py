"""How long it took from the alarm to each step, and how often in time. Pure.

Everything is counted from the raising of the incident, which is what somebody at the door waits for. What was
merged or cleared by itself answers nothing and is left out before.
"""

import datetime as dt
import enum
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from alerts.incidents.deadlines import LIMITS, Timer
from alerts.incidents.lifecycle import State
from alerts.reporting.intervals import Rate, rate
from alerts.review.responses import percentile

Key = TypeVar("Key", bound=Hashable)


class Mark(enum.StrEnum):
    """What is reached."""

    ACKNOWLEDGED = "acknowledged"
    DECIDED = "decided"  # somebody said whether it is real
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    ARRIVED = "arrived"
    RESOLVED = "resolved"


REACHED: Final[Mapping[Mark, frozenset[State]]] = {
    Mark.ACKNOWLEDGED: frozenset({State.ACKNOWLEDGED, State.CONFIRMED, State.FALSE_ALARM}),
    Mark.DECIDED: frozenset({State.CONFIRMED, State.FALSE_ALARM}),
    Mark.DISPATCHED: frozenset({State.DISPATCHED}),
    Mark.ACCEPTED: frozenset({State.ACCEPTED, State.EN_ROUTE, State.ARRIVED}),
    Mark.ARRIVED: frozenset({State.ARRIVED}),
    # A false alarm is decided and needs no work: among the resolved it would make the work look quick.
    Mark.RESOLVED: frozenset({State.RESOLVED}),
}
"""The first step to one of these reaches the mark."""

_TIMERS: Final[Mapping[Mark, Timer]] = {
    Mark.ACKNOWLEDGED: Timer.ACKNOWLEDGE,
    Mark.DECIDED: Timer.CONFIRM,
    Mark.DISPATCHED: Timer.DISPATCH,
    Mark.ACCEPTED: Timer.ACCEPT,
    Mark.ARRIVED: Timer.ARRIVE,
    Mark.RESOLVED: Timer.RESOLVE,
}


def limit(mark: Mark, severity: int) -> dt.timedelta | None:
    """Within how long of the raising a mark is to be reached: the limits of all steps up to it, together.

    Source: the timer table of the compound's incident procedure (`alerts.incidents.deadlines`). None where
    the severity has no limits.
    """
    total = dt.timedelta()
    for one in Mark:
        step = LIMITS[_TIMERS[one]].get(severity)
        if step is None:
            return None
        total += step
        if one is mark:
            break
    return total


class Shift(enum.StrEnum):
    """The part of the day, by the compound's clock."""

    NIGHT = "night"  # 00–08
    EARLY = "early"  # 08–16
    LATE = "late"  # 16–24


def shift_of(hour: int) -> Shift:
    """The shift of a local hour, 0…23."""
    return (Shift.NIGHT, Shift.EARLY, Shift.LATE)[hour // 8]


@dataclass(frozen=True, slots=True)
class Answered:
    """One incident: how many seconds after its raising each mark was reached; a mark that was not is absent.

    `at` is the quarter of an hour in which it was raised.
    """

    at: dt.datetime
    severity: int
    kind: str
    shift: Shift
    seconds: Mapping[Mark, float]


@dataclass(frozen=True, slots=True)
class Times:
    """Of one mark: how many reached it, and within how many seconds half, 90 % and 95 % of them did.

    `in_time` counts those whose severity has a limit.
    """

    mark: Mark
    count: int
    p50_s: float
    p90_s: float
    p95_s: float
    in_time: Rate


def times(found: Sequence[Answered]) -> list[Times]:
    """By mark, in the order of the life cycle; marks that nobody reached are left out."""
    made = []
    for mark in Mark:
        taken = [(one.severity, one.seconds[mark]) for one in found if mark in one.seconds]
        if not taken:
            continue
        seconds = [value for _, value in taken]
        limits = {severity: limit(mark, severity) for severity in {severity for severity, _ in taken}}
        limited = [
            value <= most.total_seconds()
            for severity, value in taken
            if (most := limits[severity]) is not None
        ]
        made.append(
            Times(
                mark,
                len(taken),
                percentile(seconds, 0.5),
                percentile(seconds, 0.9),
                percentile(seconds, 0.95),
                rate(sum(limited), len(limited)),
            )
        )
    return made


def grouped(found: Iterable[tuple[Key, Answered]]) -> dict[Key, list[Times]]:
    """The times of each group, in the order in which the groups come first."""
    groups: dict[Key, list[Answered]] = {}
    for key, one in found:
        groups.setdefault(key, []).append(one)
    return {key: times(ones) for key, ones in groups.items()}

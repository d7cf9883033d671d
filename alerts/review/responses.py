"""How fast somebody was: what each timer waited for, in seconds, and how often in time. Pure.

A wait counts where it was answered by what it waited for. What was merged, cleared by itself or taken
back answers nothing.
"""

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from alerts.incidents.deadlines import LIMITS, RUNS, Timer
from alerts.incidents.lifecycle import State

ANSWERS: Final[Mapping[Timer, frozenset[State]]] = {
    Timer.ACKNOWLEDGE: frozenset({State.ACKNOWLEDGED, State.CONFIRMED, State.FALSE_ALARM}),
    Timer.CONFIRM: frozenset({State.CONFIRMED, State.FALSE_ALARM}),
    Timer.DISPATCH: frozenset({State.DISPATCHED, State.RESOLVED, State.FALSE_ALARM}),
    Timer.ACCEPT: frozenset({State.ACCEPTED, State.EN_ROUTE, State.ARRIVED}),
    Timer.ARRIVE: frozenset({State.ARRIVED}),
    Timer.RESOLVE: frozenset({State.RESOLVED, State.FALSE_ALARM}),
    Timer.REVIEW: frozenset({State.REVIEWED}),
}


@dataclass(frozen=True, slots=True)
class Wait:
    """`in_time` is None where the severity has no limit."""

    timer: Timer
    seconds: float
    in_time: bool | None


@dataclass(frozen=True, slots=True)
class Response:
    """Of one timer: how many were answered, half of them and nine in ten within so many seconds.

    `met` is the share of those with a limit that kept it, 0–1; None where none had one.
    """

    timer: Timer
    count: int
    p50_s: float
    p90_s: float
    met: float | None


def waits(severity: int, steps: Sequence[tuple[State, dt.datetime]]) -> list[Wait]:
    """What one incident waited for, from its steps in their order; by its severity as it is now."""
    found: list[Wait] = []
    running: Timer | None = None
    since: dt.datetime | None = None
    for state, at in steps:
        timer = RUNS.get(state)
        if timer is running and since is not None:
            continue
        if running is not None and since is not None and state in ANSWERS.get(running, frozenset()):
            limit = LIMITS[running].get(severity)
            took = at - since
            found.append(Wait(running, took.total_seconds(), None if limit is None else took <= limit))
        running, since = timer, at
    return found


def summed(found: Iterable[Wait]) -> list[Response]:
    """Of each timer that anything waited for, in the order of the life cycle."""
    by_timer: dict[Timer, list[Wait]] = {}
    for one in found:
        by_timer.setdefault(one.timer, []).append(one)
    return [_response(timer, by_timer[timer]) for timer in Timer if timer in by_timer]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share (0–1) of all values does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _response(timer: Timer, found: Sequence[Wait]) -> Response:
    seconds = [one.seconds for one in found]
    limited = [one.in_time for one in found if one.in_time is not None]
    return Response(
        timer,
        len(found),
        percentile(seconds, 0.5),
        percentile(seconds, 0.9),
        sum(limited) / len(limited) if limited else None,
    )

"""How long each step took, and how long it may: pure sums over the steps of incidents."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from alerts.incidents.deadlines import LIMITS, Timer
from alerts.incidents.lifecycle import State

MEASURED: Final = (
    Timer.ACKNOWLEDGE,
    Timer.CONFIRM,
    Timer.DISPATCH,
    Timer.ACCEPT,
    Timer.ARRIVE,
    Timer.RESOLVE,
)

# What a timer begins with, and what ends it. Whoever skips a state has waited for it no time.
_FROM: Final[Mapping[Timer, frozenset[State]]] = {
    Timer.ACKNOWLEDGE: frozenset({State.RAISED}),
    Timer.CONFIRM: frozenset({State.ACKNOWLEDGED}),
    Timer.DISPATCH: frozenset({State.CONFIRMED}),
    Timer.ACCEPT: frozenset({State.DISPATCHED}),
    Timer.ARRIVE: frozenset({State.ACCEPTED}),
    Timer.RESOLVE: frozenset({State.ARRIVED}),
}
_TO: Final[Mapping[Timer, frozenset[State]]] = {
    # Whoever confirms at once has looked at it.
    Timer.ACKNOWLEDGE: frozenset({State.ACKNOWLEDGED, State.CONFIRMED, State.FALSE_ALARM}),
    Timer.CONFIRM: frozenset({State.CONFIRMED, State.FALSE_ALARM}),
    Timer.DISPATCH: frozenset({State.DISPATCHED}),
    Timer.ACCEPT: frozenset({State.ACCEPTED}),
    Timer.ARRIVE: frozenset({State.ARRIVED}),
    Timer.RESOLVE: frozenset({State.RESOLVED}),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A step that was taken. `closing`: it was the end of the drill, which is no answer to it."""

    to: State
    at: dt.datetime
    closing: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """A timer's time: what it took, None where the step was never taken; `limit` None where there is none."""

    timer: Timer
    took: dt.timedelta | None
    limit: dt.timedelta | None

    @property
    def within(self) -> bool | None:
        """None where there is nothing to compare."""
        if self.limit is None:
            return None
        return self.took is not None and self.took <= self.limit


def measure(steps: Sequence[Moment], severity: int) -> list[Measured]:
    """The times of one incident, for the timers that began; steps in order.

    The first time a state is reached counts: what was said again is no slower.
    """
    found = []
    for timer in MEASURED:
        began = next((one.at for one in steps if one.to in _FROM[timer]), None)
        if began is None:
            continue
        done = next((one.at for one in steps if one.to in _TO[timer] and not one.closing), None)
        done = None if done is None or done < began else done
        found.append(Measured(timer, None if done is None else done - began, LIMITS[timer].get(severity)))
    return found


def median(times: Iterable[dt.timedelta]) -> dt.timedelta | None:
    """The middle one, of two the mean; None where there is none."""
    ordered = sorted(times)
    if not ordered:
        return None
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2

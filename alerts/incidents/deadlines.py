"""How long each state may last, by severity, and what it waits for. Pure: the caller brings the time.

Source: the timer table of the compound's incident procedure (domain §4.3), and §4.5 for how often it is
said again. A notice has no hurry.
"""

import datetime as dt
import enum
from collections.abc import Mapping
from typing import Final

from alerts.incidents.lifecycle import State


class Timer(enum.StrEnum):
    """What is waited for. Its running out is written down as `timeout_<name>`."""

    ACKNOWLEDGE = "acknowledge"
    CONFIRM = "confirm"
    DISPATCH = "dispatch"
    ACCEPT = "accept"
    ARRIVE = "arrive"
    RESOLVE = "resolve"
    REVIEW = "review"
    CLOSE = "close"


RUNS: Final[Mapping[State, Timer]] = {
    State.RAISED: Timer.ACKNOWLEDGE,
    State.ACKNOWLEDGED: Timer.CONFIRM,
    State.CONFIRMED: Timer.DISPATCH,
    State.REOPENED: Timer.DISPATCH,
    State.DISPATCHED: Timer.ACCEPT,
    State.ACCEPTED: Timer.ARRIVE,
    State.EN_ROUTE: Timer.ARRIVE,
    State.ARRIVED: Timer.RESOLVE,
    State.RESOLVED: Timer.REVIEW,
    State.REVIEWED: Timer.CLOSE,
}


def _by_severity(*limits: dt.timedelta) -> Mapping[int, dt.timedelta]:
    return dict(enumerate(limits, 1))


_S, _MIN, _H, _DAY = (dt.timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))

LIMITS: Final[Mapping[Timer, Mapping[int, dt.timedelta]]] = {
    Timer.ACKNOWLEDGE: _by_severity(20 * _S, 60 * _S, 5 * _MIN),
    Timer.CONFIRM: _by_severity(40 * _S, 2 * _MIN, 15 * _MIN),
    Timer.DISPATCH: _by_severity(20 * _S, 1 * _MIN, 10 * _MIN),
    Timer.ACCEPT: _by_severity(30 * _S, 60 * _S, 10 * _MIN),
    # From the acceptance: who is on the way is not there yet.
    Timer.ARRIVE: _by_severity(3 * _MIN, 5 * _MIN, 30 * _MIN),
    Timer.RESOLVE: _by_severity(30 * _MIN, 1 * _H, 24 * _H),
    Timer.REVIEW: _by_severity(24 * _H, 48 * _H, 7 * _DAY),
    # What was reviewed closes by itself; for a day somebody may still say that it is not over.
    Timer.CLOSE: _by_severity(_DAY, _DAY, _DAY, _DAY),
}

RENOTIFY: Final = 60 * _S
"""How often a critical one is said again while nobody comes (domain §4.5)."""

# Somebody is in danger as long as these run; papers may be late without a bell every minute.
_URGENT: Final = frozenset({Timer.ACKNOWLEDGE, Timer.CONFIRM, Timer.DISPATCH, Timer.ACCEPT, Timer.ARRIVE})


def due(state: State, severity: int, since: dt.datetime) -> dt.datetime | None:
    """When a state that began at `since` has lasted too long; None where it may last."""
    timer = RUNS.get(state)
    limit = LIMITS[timer].get(severity) if timer is not None else None
    return None if limit is None else since + limit


def after_step(
    before: State | None, to: State, severity: int, at: dt.datetime, running: dt.datetime | None
) -> dt.datetime | None:
    """When the timer runs out after a step; one that waits for the same thing as before runs on."""
    if before is not None and before is not to and RUNS.get(before) is RUNS.get(to):
        return running
    return due(to, severity, at)


def after_rise(
    state: State, severity: int, at: dt.datetime, running: dt.datetime | None
) -> dt.datetime | None:
    """When it runs out after the severity rose at `at`: the graver limit from then, never postponed."""
    fresh = due(state, severity, at)
    return min((one for one in (fresh, running) if one is not None), default=None)


def again(
    state: State, severity: int, at: dt.datetime, *, level: int = 1, rungs: int = 1
) -> dt.datetime | None:
    """When it runs out once more after it ran out at `at`, for the `level`-th time, on a ladder of `rungs`.

    A critical one while somebody is needed: every minute, also at the ladder's end. Others: after the same
    limit, until the ladder is at its end.
    """
    timer = RUNS.get(state)
    if timer is None:
        return None
    if severity == 1 and timer in _URGENT:
        return at + RENOTIFY
    limit = LIMITS[timer].get(severity)
    return at + limit if limit is not None and level < rungs else None


def stale(state: State, due_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether what ran out is so long ago that nobody is woken for it any more.

    Only what somebody has taken on: it is written down as overdue, and stands on the hand-over list. What
    nobody ever took is said, however late.
    """
    return state is not State.RAISED and now - due_at > _DAY

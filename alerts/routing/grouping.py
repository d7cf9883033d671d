"""When a group is told of what has come into it. Pure."""

import datetime as dt
import hashlib
import json
from dataclasses import dataclass

from alerts.routing.tree import Told


@dataclass(frozen=True, slots=True)
class Stand:
    """A group as it is: told last when and of what gravest, and when what waits in it is told."""

    told_at: dt.datetime | None = None
    gravest: int | None = None
    due_at: dt.datetime | None = None


def due(stand: Stand, severity: int, now: dt.datetime, wait_s: int, interval_s: int) -> dt.datetime:
    """When a group is told once something of `severity` has come into it.

    The first one waits `wait_s` for others. Into a group that was told already a new one is told after
    `interval_s`, so that nothing hides in an old group; one graver than all that was told does not wait
    for that. What waits already is never put off. A clock that was set back keeps nothing for longer
    than the two together.
    """
    first = now + dt.timedelta(seconds=wait_s)
    if stand.told_at is not None and stand.gravest is not None and severity >= stand.gravest:
        again = stand.told_at + dt.timedelta(seconds=interval_s)
        first = min(max(first, again), first + dt.timedelta(seconds=interval_s))
    return first if stand.due_at is None else min(first, stand.due_at)


def key(told: Told) -> str:
    """What makes two incidents members of one group."""
    parts = [told.path[-1], told.receiver.name, *(f"{label}={value}" for label, value in told.group)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

"""What keeps a letter a while: quiet hours, a cap, the same thing a moment ago. Never what is grave.

Each severity has a count of its own: lesser ones use up nothing of a graver one's. What is held is told
later.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from alerts.notify.models import Purpose
from alerts.notify.plan import GRAVE

NOTICE: Final = 4
ASKS_NOW: Final = frozenset({Purpose.OFFER, Purpose.LONE_WORKER, Purpose.HELP, Purpose.TEST})
"""Somebody is asked for something here and now: held by nothing."""

QUIET: Final = "quiet"
CAP: Final = "cap"
COOL: Final = "cool"


@dataclass(frozen=True, slots=True)
class Cap:
    """So many letters to one receiver in so many seconds, of one severity."""

    letters: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps by severity; S1 and S2 have none, whatever is said here. `cool_s`: the same matter again."""

    caps: Mapping[int, Cap] = field(default_factory=lambda: {3: Cap(20, 600.0), 4: Cap(10, 3600.0)})
    cool_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Quiet:
    """No notices between two minutes of the local day; over midnight where `begins` is the later one."""

    begins: int
    ends: int
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Held:
    """Until when, and by what."""

    until: dt.datetime
    by: str


@dataclass(frozen=True, slots=True)
class Before:
    """A letter that the receiver has had: when, and whether it was of the same matter."""

    at: dt.datetime
    severity: int
    same: bool = False


def held(
    purpose: Purpose,
    severity: int,
    before: Sequence[Before],
    now: dt.datetime,
    *,
    limits: Limits,
    quiet: Quiet | None = None,
) -> Held | None:
    """Whether a letter that nobody has begun to send has to wait, and until when."""
    if severity <= GRAVE or purpose in ASKS_NOW:
        return None
    if severity >= NOTICE and quiet is not None:
        until = quiet_until(quiet, now)
        if until is not None:
            return Held(until, QUIET)
    cap = limits.caps.get(severity)
    if cap is not None:
        window = dt.timedelta(seconds=cap.seconds)
        # One that is dated later than now was before the clock was set back: it counts for nothing.
        recent = sorted(one.at for one in before if one.severity == severity and now - window < one.at <= now)
        if len(recent) >= cap.letters:
            return Held(recent[-cap.letters] + window, CAP)
    pause = dt.timedelta(seconds=limits.cool_s)
    same = [one.at for one in before if one.same and one.severity <= severity and now - pause < one.at <= now]
    return Held(max(same) + pause, COOL) if same else None


def quiet_until(quiet: Quiet, now: dt.datetime) -> dt.datetime | None:
    """The end of the quiet hours that hold at `now`, in UTC; None where none do."""
    if quiet.begins == quiet.ends:
        return None
    local = now.astimezone(quiet.zone)
    minute = local.hour * 60 + local.minute
    over_midnight = quiet.begins > quiet.ends
    inside = (
        minute >= quiet.begins or minute < quiet.ends
        if over_midnight
        else quiet.begins <= minute < quiet.ends
    )
    if not inside:
        return None
    day = local.date()
    if over_midnight and minute >= quiet.begins:
        day += dt.timedelta(days=1)
    hour, rest = divmod(quiet.ends, 60)
    if hour == 24:
        day, hour = day + dt.timedelta(days=1), 0
    end = dt.datetime.combine(day, dt.time(hour, rest), quiet.zone).astimezone(dt.UTC)
    # Where clocks go forward, that minute may not be there.
    return max(end, now + dt.timedelta(minutes=1))

"""Spans of time as people say them when they look back: last night, the last shift, seven days. Pure."""

import datetime as dt
import enum
from typing import Final

NIGHT: Final = (dt.time(22), dt.time(6))
"""A night as a control room counts it: from when the gates are watched alone until the day shift."""
SHIFT: Final = dt.timedelta(hours=8)
"""How long a shift is taken to be where no hand-over says when the last one ended."""


class Quick(enum.StrEnum):
    """A span that moves with the clock, so that a view which is kept stays fresh."""

    SHIFT = "shift"
    NIGHT = "night"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    # From and to are said.
    OWN = "own"


_LENGTH: Final = {
    Quick.DAY: dt.timedelta(days=1),
    Quick.WEEK: dt.timedelta(days=7),
    Quick.MONTH: dt.timedelta(days=30),
}


def span_of(
    quick: Quick,
    now: dt.datetime,
    zone: dt.tzinfo,
    *,
    shift: tuple[dt.datetime, dt.datetime] | None = None,
    own: tuple[dt.datetime | None, dt.datetime | None] = (None, None),
) -> tuple[dt.datetime, dt.datetime]:
    """From when (included) to when (not included); what has not come yet is left out.

    `shift` is the last one that was handed over. Of a span of one's own a missing beginning is a day
    before its end, a missing end is now; the end never lies before the beginning.
    """
    if quick is Quick.OWN:
        end = min(own[1] or now, now)
        start = own[0] or end - _LENGTH[Quick.DAY]
        return (start, end) if start <= end else (end, start) if start <= now else (end, end)
    if quick is Quick.SHIFT:
        return shift or (now - SHIFT, now)
    if quick is Quick.NIGHT:
        return _night(now, zone)
    return now - _LENGTH[quick], now


def _night(now: dt.datetime, zone: dt.tzinfo) -> tuple[dt.datetime, dt.datetime]:
    """The night that goes on, or the last one that ended."""
    local = now.astimezone(zone)
    evening = local.date() if local.time() >= NIGHT[0] else local.date() - dt.timedelta(days=1)
    start = dt.datetime.combine(evening, NIGHT[0], zone)
    end = dt.datetime.combine(evening + dt.timedelta(days=1), NIGHT[1], zone)
    return start.astimezone(dt.UTC), min(end.astimezone(dt.UTC), now)

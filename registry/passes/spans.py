"""How long a visit is, as people say it: two hours, today, over night, some days.

Pure. Whoever gives a pass presses a word and writes no time; what the word means depends on when it
is pressed, in the compound's own time.
"""

import datetime as dt
import enum
from typing import Final

from registry.errors import RefusedError

MORNING: Final = dt.time(8)
"""Until when a night lasts: a guest who stays over has breakfast."""

NOON: Final = dt.time(12)

LATE: Final = dt.time(22)
"""After that, today is too short for a visit; the day's pass then ends with the next one's morning."""

DAYS_MAX: Final = 90


class Span(enum.StrEnum):
    """The buttons of a pass."""

    HOURS_2 = "hours_2"
    TODAY = "today"
    TONIGHT = "tonight"
    DAYS = "days"


def ends(span: Span, begins: dt.datetime, days: int = 1) -> dt.datetime:
    """When a visit that begins at a local time is over; `days` counts the first day in.

    `begins` has the compound's zone. Raises `pass_days_range` for other than 1 to 90 days.
    """
    match span:
        case Span.HOURS_2:
            return begins + dt.timedelta(hours=2)
        case Span.TODAY if begins.time() < LATE:
            return _last_moment(begins.date(), begins)
        case Span.TODAY | Span.TONIGHT:
            # Pressed after midnight, tonight is the night that one is in.
            day = begins.date() if begins.time() < MORNING else begins.date() + dt.timedelta(days=1)
            return dt.datetime.combine(day, MORNING, begins.tzinfo)
        case Span.DAYS:
            if not 1 <= days <= DAYS_MAX:
                raise RefusedError("pass_days_range", maximum=DAYS_MAX)
            return _last_moment(begins.date() + dt.timedelta(days=days - 1), begins)


def fitting(span: Span, begins: dt.datetime, longest: dt.timedelta, days: int = 1) -> dt.datetime:
    """The same for a kind of pass that lasts `longest` at most: a courier's today is shorter than a guest's.

    Days that were counted out are not shortened: whoever asks for more than there is has to hear it.
    """
    end = ends(span, begins, days)
    return end if span is Span.DAYS else min(end, begins + longest)


def tomorrow(now: dt.datetime, longest: dt.timedelta) -> tuple[dt.datetime, dt.datetime]:
    """The next day of a local time, from its first moment; what is shorter than a day begins in the morning.

    Raises `pass_hour_needed` where it would be over before noon: nobody knows at what hour a meal comes.
    """
    day = now.date() + dt.timedelta(days=1)
    first = dt.time() if longest >= dt.timedelta(days=1) else MORNING
    begins = dt.datetime.combine(day, first, now.tzinfo)
    if begins + longest < dt.datetime.combine(day, NOON, now.tzinfo):
        raise RefusedError("pass_hour_needed")
    return begins, fitting(Span.TODAY, begins, longest)


def _last_moment(day: dt.date, like: dt.datetime) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(23, 59, 59), like.tzinfo)

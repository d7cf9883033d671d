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


def _last_moment(day: dt.date, like: dt.datetime) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(23, 59, 59), like.tzinfo)

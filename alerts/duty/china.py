"""The holidays and make-up working days (调休) that the State Council has announced, year by year.

From `chinesecalendar`, which is brought up to date each year when the notice is out (October or
November of the year before). What it does not hold is not known here; a compound may enter the year.
"""

import datetime as dt
import functools
from collections.abc import Mapping

from chinese_calendar.constants import holidays, workdays

from alerts.duty.days import DayKind, NamedDay


@functools.cache
def published() -> Mapping[dt.date, NamedDay]:
    """Every announced exception, both kinds; the name is the holiday's in English."""
    return {
        **{day: NamedDay(DayKind.HOLIDAY, str(name)) for day, name in holidays.items()},
        **{day: NamedDay(DayKind.MAKE_UP, str(name)) for day, name in workdays.items()},
    }


@functools.cache
def years() -> frozenset[int]:
    """The years whose notice is in: National Day is the last of each."""
    return frozenset(day.year for day in holidays if (day.month, day.day) == (10, 1))

"""Local wall time as a moment: the same wall time is always the same moment, and never earlier than an
earlier one. What ends at 02:30 and what begins at 02:30 meet, on the two odd nights of the year too.
"""

import datetime as dt

_MINUTE = dt.timedelta(minutes=1)


def moment(day: dt.date, wall: dt.time, zone: dt.tzinfo) -> dt.datetime:
    """When the clocks of `zone` show this, in UTC.

    Where they show it twice, the first time; where they leap over it, the moment of the leap.
    """
    early = dt.datetime.combine(day, wall, zone).replace(fold=0).astimezone(dt.UTC)
    late = dt.datetime.combine(day, wall, zone).replace(fold=1).astimezone(dt.UTC)
    if early <= late:
        return early
    # A leap: between the two lies the minute from which the offset is the new one.
    before, after = late, early
    old = before.astimezone(zone).utcoffset()
    while after - before > _MINUTE:
        middle = before + (after - before) / 2
        middle = middle.replace(second=0, microsecond=0)
        if middle in (before, after):
            break
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after


def local_day(at: dt.datetime, zone: dt.tzinfo) -> dt.date:
    """The local date of a moment."""
    return at.astimezone(zone).date()

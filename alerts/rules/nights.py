"""Nights as they are counted for people who may have moved in: 23:00 to 05:00 (domain §5).

Whatever the compound calls night: what is counted over a week must not move with its rule book.
"""

import datetime as dt

_EVENING = 23
_MORNING = 5


def night_of(at: dt.datetime, zone: dt.tzinfo) -> dt.date | None:
    """The night in which a moment lies, by the date of its evening; None by day."""
    local = at.astimezone(zone)
    if local.hour >= _EVENING:
        return local.date()
    return local.date() - dt.timedelta(days=1) if local.hour < _MORNING else None

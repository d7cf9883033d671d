"""When duty passes from those who are there at the start to those whom the rosters name."""

import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo

from alerts.duty.localtime import local_day, moment

ZONE: Final = ZoneInfo("Asia/Shanghai")
MORNING: Final = dt.time(8, 0)


def tomorrow(now: dt.datetime) -> dt.date:
    """The compound's date after the one of `now`: rosters of the demo begin on it."""
    return local_day(now, ZONE) + dt.timedelta(days=1)


def today(now: dt.datetime) -> dt.datetime:
    """When the compound's day began, at most a day ago."""
    return moment(local_day(now, ZONE), dt.time(), ZONE)


def midnight(now: dt.datetime) -> dt.datetime:
    """When tomorrow begins, at most a day from now."""
    return moment(tomorrow(now), dt.time(), ZONE)


def morning(now: dt.datetime) -> dt.datetime:
    """Tomorrow at eight, 8 to 32 hours from now."""
    return moment(tomorrow(now), MORNING, ZONE)

"""Where a week of duty has too few people: by the day on which it begins, and as bars over several days."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from alerts.duty.coverage import Gap, Need
from alerts.duty.localtime import moment

LONG: Final = dt.timedelta(hours=24)
"""From here on a gap is a bar over its days; a shorter one stands on the day on which it begins."""

DAYS: Final = 7
_RAISED: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Missing:
    """Too few: what of, where, from when to when by the wall's clock, how many of how many."""

    need: Need
    zone: str
    starts: str
    ends: str
    have: int
    want: int


@dataclass(frozen=True, slots=True)
class Bar:
    """Too few over several days: the first and the last of them, counted from the Monday.

    `starts` and `ends` are empty where the day is missing whole.
    """

    first: int
    last: int
    missing: Missing

    @property
    def days(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Lacking:
    """A week's gaps."""

    by_day: Mapping[int, tuple[Missing, ...]]
    bars: tuple[Bar, ...]


def lacking(found: Iterable[Gap], monday: dt.date, zone: ZoneInfo, zones: Mapping[str, str]) -> Lacking:
    """Sorts a week's gaps; what lies outside the week is cut off, a year without its days is left out."""
    start = moment(monday, dt.time(), zone)
    end = moment(monday + dt.timedelta(days=DAYS), dt.time(), zone)
    by_day: dict[int, list[Missing]] = {}
    bars: list[Bar] = []
    for gap in found:
        begins, ends = max(gap.starts_at, start), min(gap.ends_at, end)
        if gap.need is Need.CALENDAR or begins >= ends:
            continue
        first, last = _day(begins, monday, zone), _day(ends - dt.timedelta(microseconds=1), monday, zone)
        long = ends - begins >= LONG and last > first
        missing = Missing(
            gap.need,
            zones.get(gap.zone or "", ""),
            "" if long and _whole(begins, zone) else f"{begins.astimezone(zone):%H:%M}",
            "" if long and _whole(ends, zone) else ends_of(ends.astimezone(zone), last - first),
            gap.have,
            gap.want,
        )
        if long:
            bars.append(Bar(first, last, missing))
        else:
            by_day.setdefault(first, []).append(missing)
    return Lacking(
        {day: tuple(its) for day, its in by_day.items()},
        tuple(sorted(bars, key=lambda bar: (bar.first, -bar.last, bar.missing.need, bar.missing.zone))),
    )


def ends_of(until: dt.datetime, later: int) -> str:
    """The hour at which something ends, and how many days later where that is another day.

    Midnight that ends a day is 24:00 of that day, so that nobody reads it as its beginning.
    """
    hour = "24:00" if (until.hour, until.minute) == (0, 0) else f"{until:%H:%M}"
    return hour + ("⁺" + str(later).translate(_RAISED) if later else "")


def _day(at: dt.datetime, monday: dt.date, zone: ZoneInfo) -> int:
    return (at.astimezone(zone).date() - monday).days


def _whole(at: dt.datetime, zone: ZoneInfo) -> bool:
    local = at.astimezone(zone)
    return (local.hour, local.minute) == (0, 0)

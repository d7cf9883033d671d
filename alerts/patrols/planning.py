"""When rounds are due by a schedule, and who walks them. Pure."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_DAY: Final = dt.timedelta(days=1)
LATEST: Final = 2 * 24 * 60
"""Minutes after midnight: a round that belongs to an evening may begin on the next day."""

DayKind = Callable[[dt.date], str]
"""What kind of day the duty calendar says that a date is."""


@dataclass(frozen=True, slots=True)
class Hours:
    """`times` are minutes after the local midnight of a day, `lasts` how long a round may take."""

    times: tuple[int, ...]
    lasts: dt.timedelta
    weekdays: frozenset[int] = frozenset()
    day_kinds: frozenset[str] = frozenset()


def due_between(
    hours: Hours, start: dt.datetime, end: dt.datetime, zone: dt.tzinfo, kind_of: DayKind
) -> list[tuple[dt.datetime, dt.datetime]]:
    """Begin and end, in UTC, of rounds that begin from `start` (included) to `end` (not).

    By the wall clock: 06:00 stays 06:00 where clocks are put forward, and a time that does not exist on
    a day is the moment after as many hours; one that comes twice is taken the first time. What a round
    lasts is real time.
    """
    found = []
    for day in _days(start, end, zone):
        if day.weekday() not in hours.weekdays and kind_of(day) not in hours.day_kinds:
            continue
        for minutes in hours.times:
            wall = dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=minutes)
            begins = wall.replace(tzinfo=zone).astimezone(dt.UTC)
            if start <= begins < end:
                found.append((begins, begins + hours.lasts))
    return sorted(set(found))


def whom(candidates: Iterable[str], rounds: Mapping[str, int]) -> str | None:
    """Whoever has walked least of late, of several the first by id; None where nobody is there."""
    return min(candidates, key=lambda one: (rounds.get(one, 0), one), default=None)


def _days(start: dt.datetime, end: dt.datetime, zone: dt.tzinfo) -> Iterator[dt.date]:
    day = start.astimezone(zone).date() - 2 * _DAY
    last = end.astimezone(zone).date()
    while day <= last:
        yield day
        day += _DAY

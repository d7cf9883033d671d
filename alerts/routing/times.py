"""Named times of the week by the compound's clock: night, office hours, days off. Pure.

Which days people work is the duty calendar's to say (statutory holidays, make-up working days); without
one Monday to Friday are worked.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from alerts.rulebook.values import EVERY_DAY
from alerts.rules.book import SHANGHAI

_LOOK_AHEAD: Final = 15
"""Days. What is quiet for longer is looked at again after these."""


class WorkingDays(Protocol):
    """Whether a day is worked: 调休 moves working days to weekends, holidays take them away."""

    def __call__(self, day: dt.date, /) -> bool: ...


def monday_to_friday(day: dt.date) -> bool:
    """What is worked where no calendar says otherwise."""
    return day.weekday() < 5


@dataclass(frozen=True, slots=True)
class Clock:
    """The compound's time zone, and which of its days are worked."""

    zone: dt.tzinfo = SHANGHAI
    working: WorkingDays = monday_to_friday


CHINA: Final = Clock()


@dataclass(frozen=True, slots=True)
class Span:
    """From `starts` to `ends` on `days` (0 Monday … 6 Sunday); equal ends mean the whole day.

    An end before the beginning is the next day's, and the span belongs to the day on which it begins.
    `worked`: only on days that are worked, or only on those that are not; None on either.
    """

    starts: dt.time = dt.time()
    ends: dt.time = dt.time()
    days: frozenset[int] = EVERY_DAY
    worked: bool | None = None

    def holds(self, local: dt.datetime, working: WorkingDays) -> bool:
        """Whether it holds at a moment of the compound's clock."""
        clock, day = local.time(), local.date()
        if self.starts == self.ends:
            return self._is_on(day, working)
        if self.starts < self.ends:
            return self.starts <= clock < self.ends and self._is_on(day, working)
        if clock >= self.starts:
            return self._is_on(day, working)
        return clock < self.ends and self._is_on(day - dt.timedelta(days=1), working)

    def _is_on(self, day: dt.date, working: WorkingDays) -> bool:
        return day.weekday() in self.days and (self.worked is None or working(day) is self.worked)


@dataclass(frozen=True, slots=True)
class Times:
    """A named time: any of its spans."""

    name: str
    spans: tuple[Span, ...]

    def hold(self, at: dt.datetime, by: Clock) -> bool:
        """Whether it holds at a moment."""
        local = at.astimezone(by.zone)
        return any(span.holds(local, by.working) for span in self.spans)


def over(times: Iterable[Times], at: dt.datetime, by: Clock) -> dt.datetime | None:
    """When none of them holds any more, in UTC; None where none does at `at`. At most fifteen days on."""
    named = list(times)
    if not any(one.hold(at, by) for one in named):
        return None
    for moment in edges(named, at, by):
        if moment > at and not any(one.hold(moment, by) for one in named):
            return moment
    return at + dt.timedelta(days=_LOOK_AHEAD)


def edges(times: Iterable[Times], at: dt.datetime, by: Clock, days: int = _LOOK_AHEAD) -> list[dt.datetime]:
    """The moments at which any of them may begin or end, from the day of `at` on, in UTC and in order."""
    today = at.astimezone(by.zone).date()
    clocks = {dt.time()} | {
        clock for one in times for span in one.spans for clock in (span.starts, span.ends)
    }
    return sorted(
        dt.datetime.combine(today + dt.timedelta(days=ahead), clock, by.zone).astimezone(dt.UTC)
        for ahead in range(days)
        for clock in clocks
    )

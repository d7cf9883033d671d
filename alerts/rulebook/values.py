"""What a rules file says, as a value: what the rules go by, and what those beside them go by. Pure.

`days` are 0 Monday … 6 Sunday by the compound's clock, of the day on which something begins.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from alerts.rules.book import Entry, Mode, RuleBook
from alerts.rules.rule import Mute

EVERY_DAY: Final = frozenset(range(7))
NIGHT: Final = (dt.time(23), dt.time(5))
_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Patrol:
    """A round that somebody walks: at each of `times` every checkpoint is due.

    `times` are distances from the local midnight of the day on which the round begins; a round
    that begins in the evening may come to its last checkpoint on the next day (more than 24 h). A
    checkpoint is a device (a patrol point) or a zone.
    """

    name: str
    checkpoints: tuple[str, ...]
    times: tuple[dt.timedelta, ...]
    days: frozenset[int] = EVERY_DAY

    def due_between(self, start: dt.datetime, end: dt.datetime, zone: dt.tzinfo) -> list[dt.datetime]:
        """The moments from `start` (included) to `end` (not) at which its checkpoints are due, in UTC."""
        found = []
        for day in _days(start, end, zone):
            if day.weekday() in self.days:
                found += [_at(day, time, zone) for time in self.times]
        return sorted(moment for moment in found if start <= moment < end)


@dataclass(frozen=True, slots=True)
class Post:
    """A place where somebody has to be: on `days` from `starts` to `ends`, equal times for a whole day."""

    zone: str
    starts: dt.time
    ends: dt.time
    days: frozenset[int] = EVERY_DAY

    def between(
        self, start: dt.datetime, end: dt.datetime, zone: dt.tzinfo
    ) -> list[tuple[dt.datetime, dt.datetime]]:
        """The times of duty, begin and end in UTC, that touch the span from `start` to `end`."""
        found = []
        for day in _days(start - _DAY, end, zone):
            if day.weekday() not in self.days:
                continue
            begins = _at(day, _since_midnight(self.starts), zone)
            last = day if self.starts < self.ends else day + _DAY
            ends = _at(last, _since_midnight(self.ends), zone)
            if begins < end and ends > start:
                found.append((begins, ends))
        return sorted(found)

    def until(self, moment: dt.datetime, zone: dt.tzinfo) -> dt.datetime | None:
        """The end of the duty that holds at a moment; None where none does."""
        instant = dt.timedelta(microseconds=1)
        duties = self.between(moment, moment + instant, zone)
        return max((ends for _, ends in duties), default=None)


@dataclass(frozen=True, slots=True)
class Budget:
    """How many alarms of S3 and S4 an hour one operator can look at so that he looks at each.

    EEMUA 191 and ISA-18.2 call six an hour the level at which people still work well, and twelve the
    most that they can handle; the default is the second. `per_source`: of one rule at one device.
    """

    per_operator: int = 12
    per_source: int = 6


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Rules, by id, whose incidents two different people confirm (两人确认), and rules whose cause is a
    sensor or a hand on a button, which need nobody to confirm them.
    """

    two_persons: frozenset[str] = frozenset()
    confirm_alone: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WrittenMute:
    """A mute of the file, with who answers for it."""

    mute: Mute
    author: str
    reason: str


@dataclass(frozen=True)
class RulesFile:
    """A compound's rules file, read. Without one everything is as the rules come."""

    night: tuple[dt.time, dt.time] = NIGHT
    entries: Mapping[str, Entry] = field(default_factory=lambda: MappingProxyType({}))
    mutes: tuple[WrittenMute, ...] = ()
    budget: Budget = Budget()
    confirmation: Confirmation = Confirmation()
    patrols: tuple[Patrol, ...] = ()
    posts: tuple[Post, ...] = ()

    def book(self, time_zone: dt.tzinfo, version: str, mode: Mode = Mode.NORMAL) -> RuleBook:
        """What the engine goes by."""
        return RuleBook(time_zone, version, self.night, self.entries, mode)


def _days(start: dt.datetime, end: dt.datetime, zone: dt.tzinfo) -> Iterator[dt.date]:
    """Local days whose begins may matter: from the day before the first, for what lasts over midnight."""
    day = start.astimezone(zone).date() - _DAY
    last = end.astimezone(zone).date()
    while day <= last:
        yield day
        day += _DAY


def _at(day: dt.date, after_midnight: dt.timedelta, zone: dt.tzinfo) -> dt.datetime:
    """By the wall clock: 06:00 stays 06:00 where clocks are put forward."""
    wall = dt.datetime.combine(day, dt.time()) + after_midnight
    return wall.replace(tzinfo=zone).astimezone(dt.UTC)


def _since_midnight(clock: dt.time) -> dt.timedelta:
    return dt.timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second)

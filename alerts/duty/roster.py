"""A roster and the duties that follow from it, as values: no clock, no session.

A duty belongs to the local date on which it begins, also where it ends after midnight.
"""

import datetime as dt
import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from alerts.duty.days import ANY_DAY, DayKind, DutyCalendar, YearUnknownError
from alerts.duty.localtime import local_day, moment

_DAY = dt.timedelta(days=1)


class Unit(enum.StrEnum):
    DAYS = "days"
    WEEKS = "weeks"


@dataclass(frozen=True, slots=True)
class Rotation:
    """Groups that take turns.

    Every `every` days or weeks, counted from `begins_on` at the local `handover` time, the next group
    is on. Whose turn it is goes by when a duty begins: nobody is relieved in the middle of one.
    """

    groups: tuple[tuple[str, ...], ...]
    begins_on: dt.date
    every: int = 1
    unit: Unit = Unit.DAYS
    handover: dt.time = dt.time(0, 0)

    def turn(self, day: dt.date, wall: dt.time) -> int:
        """Which turn it is, from 0; counted in local dates, so that no night of the year shifts it."""
        past = (day - self.begins_on).days - (wall < self.handover)
        return past // (self.every * (7 if self.unit is Unit.WEEKS else 1))


@dataclass(frozen=True, slots=True)
class Slot:
    """A place of a roster that somebody fills on certain days.

    From `starts` to `ends`, local; an end that is not later is on the next day, and equal is 24 hours.
    `people` of the group whose turn it is are taken, next time the next ones; 0: the whole group.
    `ahead` is how many groups further on this slot is than the rotation: three shifts of one rotation
    are 0, 1 and 2. `on_call`: reachable at home. `post`: the zone where they stand.
    """

    key: str
    starts: dt.time
    ends: dt.time
    rotation: Rotation
    days: frozenset[DayKind] = ANY_DAY
    people: int = 0
    ahead: int = 0
    post: str | None = None
    on_call: bool = False

    def who(self, day: dt.date) -> tuple[str, ...]:
        """Those who are to stand it; fewer than `people` where the group is smaller."""
        groups = self.rotation.groups
        if not groups:
            return ()
        turn = self.rotation.turn(day, self.starts) + self.ahead
        group = groups[turn % len(groups)]
        if not self.people or self.people >= len(group):
            return group
        first = turn // len(groups) * self.people
        return tuple(group[(first + seat) % len(group)] for seat in range(self.people))


@dataclass(frozen=True, slots=True)
class DutyRoster:
    """Slots for a team in a time zone.

    In force from `starts_on` to `ends_on`, both included; `suspended` are spans, both days included,
    in which a temporary roster stands in for it.
    """

    id: str
    team: str
    zone: dt.tzinfo
    slots: tuple[Slot, ...]
    starts_on: dt.date
    ends_on: dt.date | None = None
    suspended: tuple[tuple[dt.date, dt.date | None], ...] = ()

    def holds(self, day: dt.date) -> bool:
        if day < self.starts_on or (self.ends_on is not None and day > self.ends_on):
            return False
        return not any(first <= day and (last is None or day <= last) for first, last in self.suspended)


@dataclass(frozen=True, slots=True)
class PlannedDuty:
    """Somebody's duty from `starts_at` until `ends_at`, both UTC.

    `place` is which duty of the roster it is: date/slot/seat, and `~n` of one that was cut. `changed`:
    an override or an absence made it so.
    """

    roster: str
    place: str
    responder: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    on_call: bool = False
    post: str | None = None
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Expansion:
    """Duties in the order of their beginning, and the years in which rest days could not be told."""

    duties: tuple[PlannedDuty, ...]
    unknown_years: frozenset[int] = frozenset()


def expand(roster: DutyRoster, calendar: DutyCalendar, start: dt.datetime, end: dt.datetime) -> Expansion:
    """The duties that begin in [start, end); of adjoining spans each duty comes exactly once.

    A slot that goes by the kind of day yields nothing on a day that the calendar does not know.
    """
    duties: list[PlannedDuty] = []
    unknown: set[int] = set()
    for day in _days(start, end, roster.zone):
        if not roster.holds(day):
            continue
        for slot in roster.slots:
            try:
                if slot.days != ANY_DAY and calendar.kind(day) not in slot.days:
                    continue
            except YearUnknownError as error:
                if start <= moment(day, slot.starts, roster.zone) < end:
                    unknown.add(error.year)
                continue
            duties += [one for one in _of_slot(roster, slot, day) if start <= one.starts_at < end]
    duties.sort(key=lambda one: (one.starts_at, one.place))
    return Expansion(tuple(duties), frozenset(unknown))


def _days(start: dt.datetime, end: dt.datetime, zone: dt.tzinfo) -> Iterator[dt.date]:
    day, last = local_day(start, zone) - _DAY, local_day(end, zone) + _DAY
    while day <= last:
        yield day
        day += _DAY


def _of_slot(roster: DutyRoster, slot: Slot, day: dt.date) -> Iterator[PlannedDuty]:
    starts_at = moment(day, slot.starts, roster.zone)
    ends_at = moment(day if slot.ends > slot.starts else day + _DAY, slot.ends, roster.zone)
    if ends_at <= starts_at:
        # All of it lies in the hour that the clocks leap over.
        return
    for seat, responder in enumerate(slot.who(day)):
        yield PlannedDuty(
            roster.id,
            f"{day.isoformat()}/{slot.key}/{seat}",
            responder,
            starts_at,
            ends_at,
            slot.on_call,
            slot.post,
        )


@dataclass(frozen=True, slots=True)
class Override:
    """From … to … `responder` instead of `instead_of`; nobody instead where it is None (an absence)."""

    instead_of: str
    responder: str | None
    starts_at: dt.datetime
    ends_at: dt.datetime


def overlay(duties: Sequence[PlannedDuty], overrides: Sequence[Override]) -> tuple[PlannedDuty, ...]:
    """The duties with changes laid over them in the order in which they were made.

    A later change finds what an earlier one left: who stood in can be stood in for. What remains
    of a duty that is cut keeps the rest of its time.
    """
    pieces = list(duties)
    for one in overrides:
        pieces = [piece for duty in pieces for piece in _cut(duty, one)]
    seen: dict[tuple[str, str], int] = {}
    named: list[PlannedDuty] = []
    for piece in sorted(pieces, key=lambda p: (p.starts_at, p.place)):
        key = (piece.roster, piece.place)
        count = seen[key] = seen.get(key, -1) + 1
        named.append(replace(piece, place=f"{piece.place}~{count}") if count else piece)
    return tuple(named)


def _cut(duty: PlannedDuty, by: Override) -> Iterator[PlannedDuty]:
    first, last = max(duty.starts_at, by.starts_at), min(duty.ends_at, by.ends_at)
    if duty.responder != by.instead_of or first >= last:
        yield duty
        return
    if duty.starts_at < first:
        yield replace(duty, ends_at=first, changed=True)
    if by.responder is not None:
        yield replace(duty, responder=by.responder, starts_at=first, ends_at=last, changed=True)
    if last < duty.ends_at:
        yield replace(duty, starts_at=last, changed=True)

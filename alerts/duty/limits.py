"""How much duty anybody may have: rest between duties, hours in a week. Pure."""

import datetime as dt
import enum
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from alerts.duty.localtime import local_day, moment


class Timed(Protocol):
    """A duty, planned or kept."""

    @property
    def starts_at(self) -> dt.datetime: ...
    @property
    def ends_at(self) -> dt.datetime: ...
    @property
    def on_call(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Stretch:
    """A duty's time and nothing else."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    on_call: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """`rest`: the shortest pause between two duties on the spot; `check_in`: the longest time that a
    volunteer stays checked in.

    Eleven hours are the daily rest of ILO practice and the EU's working time directive, article 3;
    China's labour law sets hours (article 36) but no daily pause.
    """

    rest: dt.timedelta = dt.timedelta(hours=11)
    check_in: dt.timedelta = dt.timedelta(hours=4)


class Fault(enum.StrEnum):
    """Why somebody cannot have a duty; the words go by it."""

    ON_DUTY = "already_on_duty"
    REST = "rest_too_short"
    HOURS = "hours_too_many"


def fault(
    mine: Sequence[Timed], new: Timed, limits: Limits, hours_most: int | None, zone: dt.tzinfo
) -> Fault | None:
    """What forbids that somebody with the duties `mine` also has `new`; None: nothing.

    Being on call is no work: it needs no pause and counts no hours, but nobody is on call twice
    or on call while on the spot. `hours_most` is for a local week from Monday to Sunday.
    """
    if any(one.starts_at < new.ends_at and new.starts_at < one.ends_at for one in mine):
        return Fault.ON_DUTY
    if new.on_call:
        return None
    work = [one for one in mine if not one.on_call]
    if any(
        one.starts_at < new.ends_at + limits.rest and new.starts_at < one.ends_at + limits.rest
        for one in work
    ):
        return Fault.REST
    if hours_most is not None:
        most = dt.timedelta(hours=hours_most)
        before, after = week_hours(work, zone), week_hours([*work, new], zone)
        if any(after[week] > most and after[week] > before.get(week, dt.timedelta()) for week in after):
            return Fault.HOURS
    return None


def week_hours(duties: Iterable[Timed], zone: dt.tzinfo) -> dict[dt.date, dt.timedelta]:
    """Time on the spot by the Monday of the local week; a duty over Sunday's midnight counts in both."""
    found: dict[dt.date, dt.timedelta] = defaultdict(dt.timedelta)
    for duty in duties:
        if duty.on_call:
            continue
        day = local_day(duty.starts_at, zone)
        monday = day - dt.timedelta(days=day.weekday())
        while (begins := moment(monday, dt.time(), zone)) < duty.ends_at:
            following = monday + dt.timedelta(days=7)
            ends = moment(following, dt.time(), zone)
            inside = min(duty.ends_at, ends) - max(duty.starts_at, begins)
            if inside > dt.timedelta():
                found[monday] += inside
            monday = following
    return dict(found)

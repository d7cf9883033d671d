"""The patterns that communities work by, as slots: 5+2, 8+X, and the three shifts of a control room."""

import datetime as dt
from collections.abc import Sequence

from alerts.duty.days import REST_DAYS, WORKDAYS
from alerts.duty.roster import Rotation, Slot

_OFFICE = (dt.time(8, 0), dt.time(17, 30))


def five_two(
    staff: Rotation, rest: Rotation, *, hours: tuple[dt.time, dt.time] = _OFFICE, people: int = 0
) -> tuple[Slot, ...]:
    """5+2: `staff` on workdays (make-up working days among them), `rest` on rest days, in the same hours.

    `people` of the rest days' group at a time, 0 all of it.
    """
    starts, ends = hours
    return (
        Slot("workday", starts, ends, staff, WORKDAYS),
        Slot("rest", starts, ends, rest, REST_DAYS, people=people),
    )


def eight_x(
    office: Rotation, after_hours: Rotation, *, hours: tuple[dt.time, dt.time] = _OFFICE, people: int = 1
) -> tuple[Slot, ...]:
    """8+X: office hours on workdays; all other hours, and rest days, on call by turns (`people` at once)."""
    starts, ends = hours
    return (
        Slot("office", starts, ends, office, WORKDAYS),
        Slot("after_hours", ends, starts, after_hours, WORKDAYS, people=people, on_call=True),
        Slot("rest_day", starts, starts, after_hours, REST_DAYS, people=people, on_call=True),
    )


def three_shifts(groups: Sequence[Sequence[str]], begins_on: dt.date, *, every: int = 1) -> tuple[Slot, ...]:
    """Day 08–16, evening 16–24, night 00–08 of the following date, by groups that take turns.

    A group goes day, evening, and with four groups or more (四班三运转) a whole day later night, so that
    nobody has less than a day between evening and night. Three groups leave eight hours at a change.
    """
    turns = Rotation(tuple(tuple(group) for group in groups), begins_on, every)
    count = len(groups)
    night = 3 if count > 3 else 2
    return tuple(
        Slot(key, dt.time(hour), dt.time((hour + 8) % 24), turns, ahead=-later % count)
        for key, hour, later in (("day", 8, 0), ("evening", 16, 1), ("night", 0, night))
    )

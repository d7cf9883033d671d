"""Duty as iCalendar (RFC 5545), for the calendars of phones. Times are UTC, so that no zone has to travel.

Nobody is named: a calendar is shown on shared screens, and its address may be passed on.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A duty in a calendar. `uid` stays the same for the same duty; `people` of a team's."""

    uid: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    on_call: bool
    place: str | None
    people: int


def calendar(
    title: str, entries: Iterable[Entry], summary: Callable[[Entry], str], stamp: dt.datetime
) -> bytes:
    """The calendar as it is served; `summary` says an entry in the reader's language."""
    # Most processes serve no calendar.
    from icalendar import Calendar, Event

    made = Calendar()
    made.add("prodid", "-//Ringward//duty//EN")
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", title)
    # RFC 7986, section 5.7: how often it is worth asking again.
    made.add("refresh-interval", dt.timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for entry in entries:
        event = Event()
        event.add("uid", f"{entry.uid}@ringward")
        event.add("dtstamp", stamp.astimezone(dt.UTC))
        event.add("dtstart", entry.starts_at.astimezone(dt.UTC))
        event.add("dtend", entry.ends_at.astimezone(dt.UTC))
        event.add("summary", summary(entry))
        if entry.place is not None:
            event.add("location", entry.place)
        # On call the day is otherwise free.
        event.add("transp", "TRANSPARENT" if entry.on_call else "OPAQUE")
        event.add("class", "PRIVATE")
        made.add_component(event)
    return bytes(made.to_ical())

"""A span of time as people say it: one day is named once, and today not at all."""

import datetime as dt

from babel.dates import format_skeleton

from console.pages.view import Frame


def span(view: Frame, starts_at: dt.datetime, ends_at: dt.datetime) -> str:
    """By the compound's clock, to the minute: 08:00–16:00, Tue, Nov 24 08:00–16:00, …"""
    start, end = starts_at.astimezone(view.zone), ends_at.astimezone(view.zone)
    today = view.now.astimezone(view.zone).date()
    # A shift until midnight ends on the day it began.
    last = (end - dt.timedelta(microseconds=1)).date()
    first = f"{_day(view, start)} {start:%H:%M}" if start.date() != today else f"{start:%H:%M}"
    closing = f"{end:%H:%M}" if last == start.date() else f"{_day(view, end)} {end:%H:%M}"
    return f"{first}–{closing}" if last == start.date() else f"{first} – {closing}"


def minute(view: Frame, moment: dt.datetime) -> str:
    """A moment to the minute, with its day where that is not today."""
    local = moment.astimezone(view.zone)
    if local.date() == view.now.astimezone(view.zone).date():
        return f"{local:%H:%M}"
    return f"{_day(view, local)} {local:%H:%M}"


def _day(view: Frame, local: dt.datetime) -> str:
    return format_skeleton("MMMEd", local.replace(tzinfo=None), locale=view.t.locale)

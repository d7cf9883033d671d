"""Moments and days as a form sends them, in the compound's own time."""

import datetime as dt

from console.pages.view import Frame
from console.problems import ProblemError


def moment(view: Frame, text: str) -> dt.datetime | None:
    """`2026-11-23T07:15` as UTC; None where nothing was entered. Raises a 422 problem (`bad_moment`)."""
    if not text.strip():
        return None
    try:
        found = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise ProblemError(422, "bad_moment", "That is no date and time") from None
    return (found if found.tzinfo else found.replace(tzinfo=view.zone)).astimezone(dt.UTC)


def end_of_day(view: Frame, text: str) -> dt.datetime | None:
    """Midnight after `2026-11-23`, as UTC; None where nothing was entered. Raises a 422 problem."""
    if not text.strip():
        return None
    try:
        day = dt.date.fromisoformat(text.strip())
    except ValueError:
        raise ProblemError(422, "bad_moment", "That is no day") from None
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), view.zone).astimezone(dt.UTC)


def field(view: Frame, when: dt.datetime | None) -> str:
    """A moment as the value of a `datetime-local` field."""
    return when.astimezone(view.zone).strftime("%Y-%m-%dT%H:%M") if when else ""

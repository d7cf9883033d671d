"""A time as an address or a form says it: with its zone in a link, by the compound's clock in a field."""

import datetime as dt
from urllib.parse import urlencode

from console.pages.view import Frame


def link(start: dt.datetime, end: dt.datetime, **more: str) -> str:
    """The query of a link to a time, and to what else is not empty."""
    moments = {"from": _utc(start), "to": _utc(end)}
    return urlencode(moments | {name: value for name, value in more.items() if value})


def moment(view: Frame, text: str) -> dt.datetime | None:
    """What a link or a field says; local time where it names no zone. Raises `ValueError`."""
    if not text:
        return None
    try:
        found = dt.datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=view.zone)).astimezone(dt.UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def field(view: Frame, moment: dt.datetime) -> str:
    """As a browser's field for a moment has it."""
    return f"{moment.astimezone(view.zone):%Y-%m-%dT%H:%M}"


def _utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

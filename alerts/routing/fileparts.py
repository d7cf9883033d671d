"""Parts of a routing file besides its routes: times, receivers, and how long something lasts. Pure."""

import re
from collections.abc import Callable
from typing import Final, TypeVar

from alerts.duty.models import TeamKind
from alerts.notify.models import ChannelKind
from alerts.routing.times import Span, Times
from alerts.routing.tree import Receiver, When
from alerts.rulebook.fields import Fields
from alerts.rulebook.values import EVERY_DAY

NAME_LONGEST: Final = 64
_DURATION: Final = re.compile(r"(\d{1,6})(s|m|h|d)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_E = TypeVar("_E", TeamKind, ChannelKind)
_T = TypeVar("_T", Times, Receiver)


def named(table: Fields | None, make: Callable[[str, Fields], _T | None]) -> list[tuple[str, _T]]:
    """The tables below a table, by their names, as far as they can be read."""
    if table is None:
        return []
    made = []
    for name in table.branch.items:
        inner = table.table(name)
        if inner is not None:
            one = make(name, inner)
            if one is not None:
                made.append((name, one))
    return made


def times(name: str, table: Fields) -> Times | None:
    """`[times.…]`: one span, or several under `spans`."""
    spans = table.tables("spans")
    if spans:
        made = [_span(one) for one in spans]
        table.done()
    else:
        made = [_span(table)]
    kept = tuple(one for one in made if one is not None)
    return Times(name, kept) if kept else None


def _span(table: Fields) -> Span | None:
    days = table.days("days") or EVERY_DAY
    flagged = table.flag("worked", default=True)
    worked = flagged if table.has("worked") else None
    starts, ends = table.clock("from"), table.clock("to", end=True)
    if table.has("from") != table.has("to"):
        table.need("from", "to")
    table.done()
    if table.failed:
        return None
    zero = Span()
    return Span(starts or zero.starts, ends or zero.ends, days, worked)


def receiver(name: str, table: Fields) -> Receiver | None:
    """`[receivers.…]`: people, and beside them channels."""
    kinds = _members(table, "team_kinds", TeamKind)
    channel_kinds = _members(table, "channel_kinds", ChannelKind)
    teams, channels = table.texts("teams"), table.texts("channels")
    when = table.text("when", NAME_LONGEST) or When.CONFIRMED
    if when not in set(When):
        table.found.unknown(table.line_of("when"), "unknown_value", table.at("when"), when, list(When))
        when = When.CONFIRMED
    table.done()
    if not kinds and not teams and not table.failed:
        # What sounds is not somebody who comes.
        table.found.error(table.line, "receiver_of_nobody", table.where, name=name)
    return Receiver(name, kinds, teams, channels, tuple(channel_kinds), When(when))


def _members(table: Fields, key: str, kind: type[_E]) -> tuple[_E, ...]:
    known = [str(one) for one in kind]
    made: list[_E] = []
    for name in table.texts(key):
        if name in known:
            made.append(kind(name))
        else:
            table.failed = True
            table.found.unknown(table.line_of(key), "unknown_value", table.at(key), name, known)
    return tuple(made)


def duration(table: Fields, key: str, bounds: tuple[int, int], otherwise: int) -> int:
    """Seconds of "10s", "5m", "4h", "1d"; "0s" is none."""
    text = table.text(key, NAME_LONGEST)
    if text is None:
        return otherwise
    found = _DURATION.fullmatch(text)
    if found is None:
        table.found.error(table.line_of(key), "wrong_duration", table.at(key), name=key)
        return otherwise
    seconds = int(found[1]) * _SECONDS[found[2]]
    low, high = bounds
    if not low <= seconds <= high:
        table.found.error(
            table.line_of(key),
            "not_between",
            table.at(key),
            name=key,
            value=text,
            low=f"{low}s",
            high=f"{high}s",
        )
        return otherwise
    return seconds

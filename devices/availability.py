"""When a device was there: spells of online and offline, from its words and its state now.

Pure. A word is (moment, online). Before the first word the device was what that word changed;
without any word what it is now, as long as that has held, and unknown before.
"""

import datetime as dt
import enum
from collections.abc import Sequence
from dataclasses import dataclass


class Presence(enum.StrEnum):
    """What is known of a device at a time."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Spell:
    """A time in which nothing changed; `end` is not part of it."""

    start: dt.datetime
    end: dt.datetime
    presence: Presence

    @property
    def length(self) -> dt.timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Summary:
    """Of a span: the share of the known time that it was there (None: nothing is known), and absences."""

    share: float | None
    absences: int
    longest: dt.timedelta


def spells(
    words: Sequence[tuple[dt.datetime, bool]],
    now: bool | None,
    since: dt.datetime | None,
    start: dt.datetime,
    end: dt.datetime,
) -> list[Spell]:
    """From `start` to `end`, without gaps. `words` in order of time, also from before `start`.

    `now` is its state at `end` and `since` from when on that has held; None for a device that was
    never heard of.
    """
    presence = _at(start, words, now, since)
    begin, found = start, []
    for at, online in words:
        if not start < at < end or _of(online) is presence:
            continue
        found.append(Spell(begin, at, presence))
        begin, presence = at, _of(online)
    if now is not None and since is not None and begin < since < end and _of(now) is not presence:
        found.append(Spell(begin, since, presence))
        begin, presence = since, _of(now)
    found.append(Spell(begin, end, presence))
    return found


def summary(found: Sequence[Spell]) -> Summary:
    """How much of it was online, how often it was away, and how long at most."""
    there = sum((one.length for one in found if one.presence is Presence.ON), dt.timedelta())
    away = [one.length for one in found if one.presence is Presence.OFF]
    known = there + sum(away, dt.timedelta())
    return Summary(there / known if known else None, len(away), max(away, default=dt.timedelta()))


def _at(
    moment: dt.datetime,
    words: Sequence[tuple[dt.datetime, bool]],
    now: bool | None,
    since: dt.datetime | None,
) -> Presence:
    before = [online for at, online in words if at <= moment]
    if before:
        return _of(before[-1])
    if words:
        return _of(not words[0][1])
    if now is not None and since is not None and since <= moment:
        return _of(now)
    return Presence.UNKNOWN


def _of(online: bool) -> Presence:
    return Presence.ON if online else Presence.OFF

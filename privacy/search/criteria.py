"""What is searched for, and what may not be asked. Pure."""

import datetime as dt
import enum
from dataclasses import dataclass, replace
from typing import Final

from registry.plates import part_pattern

WIDE: Final = dt.timedelta(days=7)
"""A longer look at one person's or plate's ways needs a second thought."""
PLACE_LONGEST: Final = dt.timedelta(days=7)
"""What went on at a place is read event by event: so long at the most, but for one device."""


class Sort(enum.StrEnum):
    """What sort of thing is looked for; each is some of the canonical event types."""

    FACE = "face"
    PLATE = "plate"
    ACCESS = "access"
    DOOR = "door"
    VIDEO = "video"
    DEVICE = "device"
    INCIDENT = "incident"


TYPES: Final = {
    Sort.FACE: ("face.",),
    Sort.PLATE: ("plate.", "vehicle."),
    Sort.ACCESS: ("access.", "visitor."),
    Sort.DOOR: ("door.", "barrier.", "turnstile."),
    Sort.VIDEO: ("video.",),
    Sort.DEVICE: ("device.",),
}


class Refusal(enum.StrEnum):
    """Why something is not searched for."""

    NOTHING_ASKED = "nothing_asked"
    TWO_SUBJECTS = "two_subjects"
    PLATE_TOO_SHORT = "plate_too_short"
    EMPTY_SPAN = "empty_span"
    SPAN_TOO_LONG = "span_too_long"
    SEARCH_WIDE = "search_wide"


@dataclass(frozen=True, slots=True)
class Sought:
    """One question: at most one of `plate`, `person` and `visitor_pass`, within a time and a place.

    `start` is included, `end` is not. `plate` is what was typed, whole or in part.
    """

    start: dt.datetime
    end: dt.datetime
    plate: str | None = None
    person: str | None = None
    visitor_pass: str | None = None
    device: str | None = None
    zone: str | None = None
    ring: str | None = None
    sort: Sort | None = None

    @property
    def of_somebody(self) -> bool:
        """Whether it asks where somebody was: a plate's owner is known too."""
        return bool(self.plate or self.person or self.visitor_pass)

    def within(self, kept_since: dt.datetime, now: dt.datetime) -> "Sought":
        """The same question of the time that is kept."""
        return replace(self, start=max(self.start, kept_since), end=min(self.end, now))


@dataclass(frozen=True, slots=True)
class Before:
    """Where a list goes on: after this one, the newest being first."""

    at: dt.datetime
    kind: str
    id: str


def refused(sought: Sought, *, sure: bool) -> Refusal | None:
    """Why a question is not put; `sure`: whoever asks has thought twice about its width."""
    if sought.end <= sought.start:
        return Refusal.EMPTY_SPAN
    subjects = [one for one in (sought.plate, sought.person, sought.visitor_pass) if one]
    if len(subjects) > 1:
        return Refusal.TWO_SUBJECTS
    if sought.plate and part_pattern(sought.plate) is None:
        return Refusal.PLATE_TOO_SHORT
    length = sought.end - sought.start
    if not subjects:
        if not (sought.device or sought.zone or sought.ring or sought.sort):
            return Refusal.NOTHING_ASKED
        if length > PLACE_LONGEST and sought.sort is not Sort.INCIDENT:
            return Refusal.SPAN_TOO_LONG
        return None
    return Refusal.SEARCH_WIDE if length > WIDE and not sure else None

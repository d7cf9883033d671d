"""The alert budget: what an operator is not shown, because nobody could look at it any more. Pure.

Only warnings and notices (S3, S4) are ever held back, and no safety kind is. What is held is an
incident all the same: kept, counted and reported, and it comes out as soon as it gets graver. A
flood of milder alarms never holds a graver one: a warning is weighed against what was as grave as
itself or graver, so notices cannot use up its room.
"""

import datetime as dt
import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from alerts.rulebook.values import Budget

HOUR: Final = dt.timedelta(hours=1)
GRAVE: Final = 2
"""S1 and S2 are shown whatever the load."""


class HeldReason(enum.StrEnum):
    """Why an incident was held back: a code of the text catalogue (`held_back.<code>`)."""

    # The operators on duty have had their share of this hour.
    HOUR_FULL = "hour_full"
    # One rule at one device has had its share; the others go on.
    SOURCE_FULL = "source_full"


@dataclass(frozen=True, slots=True)
class Shown:
    """An incident that was put before the operators: when, and what of."""

    at: dt.datetime
    severity: int
    rule: str
    device: str


@dataclass(frozen=True, slots=True)
class Asking:
    """What is known of an incident that is to be shown. `safety`: its rule is (fire, SOS, duress, fall)."""

    at: dt.datetime
    severity: int
    rule: str
    device: str
    safety: bool = False
    care: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """It is held back: why, how many were shown in the hour before, and how many may be."""

    reason: HeldReason
    shown: int
    allowed: int


def decide(recent: Iterable[Shown], asking: Asking, budget: Budget, operators: int) -> Held | None:
    """Whether an incident is held back, None where it is shown.

    `recent` is what was shown (not held) before; older than an hour counts no more. `operators` are
    those on duty: where a roster knows of none, one is assumed, since somebody sits there. Care (a
    neighbour who is not heard of) is never held: it is not an alarm among alarms.
    """
    if asking.care or released(asking.severity, safety=asking.safety):
        return None
    since = asking.at - HOUR
    weighed = [one for one in recent if since < one.at <= asking.at and one.severity <= asking.severity]
    of_source = sum(one.rule == asking.rule and one.device == asking.device for one in weighed)
    if of_source >= budget.per_source:
        return Held(HeldReason.SOURCE_FULL, of_source, budget.per_source)
    allowed = budget.per_operator * max(1, operators)
    if len(weighed) >= allowed:
        return Held(HeldReason.HOUR_FULL, len(weighed), allowed)
    return None


def released(severity: int, *, safety: bool) -> bool:
    """Whether an incident is shown whatever the load: it is grave or has become so, or is a safety kind."""
    return severity <= GRAVE or safety

"""What the register and the clock say, as observations: nobody reports that a visit has ended.

`between` gives the same for a span whether it is asked for in one piece or in many, live, when a
process starts, and in a replay. What people have changed since is taken as it stands now: a pass
that was extended has one end, its last.
"""

import datetime as dt
from typing import Final, Protocol

from sqlalchemy import union
from sqlalchemy.orm import Session

from alerts.calendar import care, commands, duties, visits, walks
from alerts.calendar.duties import Duty, Round
from alerts.calendar.places import Places
from alerts.rules import Observation

__all__ = ["SETTLED", "STEP", "Plans", "between", "touched"]

STEP: Final = dt.timedelta(seconds=1)
"""How often it is asked live."""

SETTLED: Final = dt.timedelta(seconds=2)
"""How far back it is asked live: a row bears the time at which its transaction began."""


class Plans(Protocol):
    """What a compound's rule book says of rounds and posts."""

    @property
    def patrols(self) -> tuple[Round, ...]: ...

    @property
    def posts(self) -> tuple[Duty, ...]: ...


def between(
    session: Session, compound: str, start: dt.datetime, end: dt.datetime, plans: Plans
) -> list[Observation]:
    """What is to be said of the time from `start` (included) to `end` (not), in order of time."""
    if start >= end:
        return []
    places = Places(session, compound)
    found = [
        *visits.between(session, places, start, end),
        *care.between(session, places, start, end),
        *commands.between(session, places, start, end),
        *duties.between(session, places, start, end, plans.patrols, plans.posts),
        *walks.between(session, places, start, end),
    ]
    return sorted(found, key=lambda seen: (seen.at, seen.id))


def touched(session: Session, start: dt.datetime, end: dt.datetime) -> frozenset[str]:
    """Compounds of which `between` may have something to say, in one statement for all of them.

    Of any other it has nothing, but for what the plans of its rules file say.
    """
    asked = [
        query for source in (visits, care, commands, duties, walks) for query in source.touched(start, end)
    ]
    return frozenset(session.scalars(union(*asked)))

"""Looks at people that were said to be for an incident, with none in sight (L-08).

Whoever looks somebody up to handle an incident does something with one within the hour: opens
it, confirms it, sends somebody. Where nothing of the kind is in the log, the privacy officer
asks. It is a question and no verdict: a telephone call is in no log.
"""

import datetime as dt
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

WITHIN: Final = dt.timedelta(hours=1)
"""How long before or after a look something has to be done with an incident."""

FOR_INCIDENTS: Final = frozenset({"incident_handling", "monitoring"})
"""Purposes that claim one. What is done for the register or the person has its own proof."""

INCIDENTS: Final = ("incident.", "dispatch.", "task.", "watchlist.hit")
"""Beginnings of actions that are work on an incident; the log names it by its bare id."""

AT_PEOPLE: Final = frozenset({"person", "household", "dwelling", "people", "credential", "vehicle"})
"""Kinds of subjects that say who somebody is or where they live."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the log, as far as it matters here."""

    seq: int
    at: dt.datetime
    actor: str
    role: str
    action: str
    purpose: str
    subject: str


def unexplained(entries: Iterable[Entry], within: dt.timedelta = WITHIN) -> list[Entry]:
    """Looks without an incident by the same actor in the hour around them, newest first."""
    looks: list[Entry] = []
    worked: defaultdict[str, list[dt.datetime]] = defaultdict(list)
    for entry in entries:
        if entry.action.startswith(INCIDENTS):
            worked[entry.actor].append(entry.at)
        elif entry.subject.partition(":")[0] in AT_PEOPLE and entry.purpose in FOR_INCIDENTS:
            looks.append(entry)
    for moments in worked.values():
        moments.sort()
    found = [look for look in looks if not _near(worked.get(look.actor, ()), look.at, within)]
    return sorted(found, key=lambda look: look.seq, reverse=True)


def _near(moments: Sequence[dt.datetime], at: dt.datetime, within: dt.timedelta) -> bool:
    position = bisect_left(moments, at - within)
    return position < len(moments) and moments[position] <= at + within

"""One look for all compounds: of which anything may have changed, or may be due.

Most compounds stand still at most moments. Asking each of them what it has, every second, costs a machine
with a hundred of them half a core while nothing happens; asking which of them have anything costs a few
statements. What a glance does not name has not changed; what it names is looked at whole, as ever.
"""

import datetime as dt
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from alerts import calendar
from alerts.ended import compounds_ended_since
from alerts.mutes import RuleMute
from alerts.rulebook.models import OperatingMode, RuleVersion
from registry.models import Compound


@dataclass(frozen=True, slots=True)
class Due:
    """Compounds of which the calendar may have something to say, of the time from `start` to `end`."""

    start: dt.datetime
    end: dt.datetime
    compounds: frozenset[str]

    def is_quiet(self, compound: str, since: dt.datetime) -> bool:
        """Whether the register has nothing of a compound between `since` and the end."""
        return self.start <= since and compound not in self.compounds


def due(session: Session, start: dt.datetime, end: dt.datetime) -> Due:
    """What the calendar may say of the time from `start` (included) to `end` (not)."""
    return Due(start, end, calendar.touched(session, start, end))


@dataclass(frozen=True, slots=True)
class Signs:
    """What people may have changed: compound → what stands in its tables, comparable by `==`.

    `ended` are compounds of which an incident was ended since `ended_from`.
    """

    by_compound: dict[str, Hashable]
    ended_from: dt.datetime
    ended: frozenset[str]

    def of(self, compound: str) -> Hashable:
        """The signs of one compound; None for one that there is not."""
        return self.by_compound.get(compound)


def signs(session: Session, now: dt.datetime, mutes_from: dt.datetime, ended_from: dt.datetime) -> Signs:
    """The newest rules, modes that may hold, mutes that end after `mutes_from`; and who ended anything."""
    found: dict[str, list[Any]] = {
        row.id: [row.time_zone] for row in session.execute(select(Compound.id, Compound.time_zone))
    }
    newest = (
        select(RuleVersion.compound, func.max(RuleVersion.number).label("number"))
        .group_by(RuleVersion.compound)
        .subquery()
    )
    for query in (
        select(RuleVersion.compound, RuleVersion.number, RuleVersion.digest).join(
            newest,
            and_(newest.c.compound == RuleVersion.compound, newest.c.number == RuleVersion.number),
        ),
        select(
            OperatingMode.compound,
            OperatingMode.id,
            OperatingMode.approved_at,
            OperatingMode.ended_at,
            # Its beginning and its end change what holds, without anybody's hand.
            OperatingMode.starts_at <= now,
        ).where(OperatingMode.ends_at > now),
        select(RuleMute.compound, RuleMute.id, RuleMute.lifted_at).where(RuleMute.ends_at > mutes_from),
    ):
        for compound, *rest in sorted(map(tuple, session.execute(query)), key=lambda row: row[:2]):
            if compound in found:
                found[compound].append(tuple(rest))
    return Signs(
        {compound: tuple(parts) for compound, parts in found.items()},
        ended_from,
        compounds_ended_since(session, ended_from),
    )

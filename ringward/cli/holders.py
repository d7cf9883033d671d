"""What `ringward doctor` says of who evaluates whose rules."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

from sqlalchemy import select

from alerts import leases
from alerts.leases import AlertLease
from ringward.checkup import Finding
from storage import Clock, Database

_BEHIND: Final = dt.timedelta(seconds=30)


def findings(database: Database, clock: Clock) -> Iterator[Finding]:
    """One a compound that was ever evaluated, and who else could."""
    with database.read() as session:
        now = leases.database_time(clock)(session)
        there = leases.members(session, now)
        rows = session.scalars(select(AlertLease).order_by(AlertLease.compound)).all()
        held = [(row.compound, row.holder, row.epoch, row.until, row.advanced_to) for row in rows]
    for compound, holder, epoch, until, advanced_to in held:
        what = f"rules of {compound}"
        if until <= now:
            seen = f"nobody, since {until:%Y-%m-%d %H:%M:%S} UTC"
            yield Finding(what, False, seen, "A process with the role `alerts` takes them within seconds.")
            continue
        seen = f"{holder}, epoch {epoch}"
        behind = now - advanced_to if advanced_to is not None else dt.timedelta(0)
        if behind > _BEHIND:
            seen += f", {behind.total_seconds():.0f} s behind"
        advice = "A backlog is being read, or the bus does not answer: see the log (`alerts.waits`)."
        yield Finding(what, behind <= _BEHIND, seen, advice)
    if held and there:
        idle = len(there) - len({holder for _, holder, *_ in held} & {one.holder for one in there})
        yield Finding("evaluators", True, f"{len(there)} there, {idle} of them idle")

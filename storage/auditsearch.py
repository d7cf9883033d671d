"""Finding entries of the audit log without walking through a million of them.

Entries come in order of time, so a span of time is a span of numbers, found by halving; all
else has an index that goes on by number.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from storage.audit import AuditRow


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What is looked for; what is None is not asked about. `since` is included, `until` is not."""

    actors: tuple[str, ...] | None = None
    action: str | None = None
    purpose: str | None = None
    subject: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    # Whose entries may be seen; None: the whole deployment's.
    compound: str | None = None


def entries(
    session: Session, wanted: AuditFilter, *, before: int | None = None, limit: int = 50
) -> Sequence[AuditRow]:
    """The newest entries that fit, newest first; `before` is the number above which all were seen."""
    query = matching(session, wanted)
    if before is not None:
        query = query.where(AuditRow.seq < before)
    return session.scalars(query.order_by(AuditRow.seq.desc()).limit(limit)).all()


def matching(session: Session, wanted: AuditFilter) -> Select[AuditRow]:
    """The query for what is wanted, without order or limit."""
    query = select(AuditRow)
    if wanted.actors is not None:
        query = query.where(AuditRow.actor.in_(wanted.actors))
    if wanted.action is not None:
        query = query.where(AuditRow.action == wanted.action)
    if wanted.purpose is not None:
        query = query.where(AuditRow.purpose == wanted.purpose)
    if wanted.subject is not None:
        query = query.where(AuditRow.subject == wanted.subject)
    if wanted.compound is not None:
        query = query.where(AuditRow.compound == wanted.compound)
    if wanted.since is not None:
        query = query.where(AuditRow.seq >= first_since(session, wanted.since))
    if wanted.until is not None:
        query = query.where(AuditRow.seq < first_since(session, wanted.until))
    return query


def first_since(session: Session, moment: dt.datetime) -> int:
    """The number of the first entry at or after a moment; one more than the last where there is none."""
    low = session.scalar(select(func.min(AuditRow.seq)))
    high = session.scalar(select(func.max(AuditRow.seq)))
    if low is None or high is None:
        return 1
    end = high + 1
    while low < end:
        middle = (low + end) // 2
        # Where the log was cut off or broken, the next one that is there.
        row = session.execute(
            select(AuditRow.seq, AuditRow.at).where(AuditRow.seq >= middle).order_by(AuditRow.seq).limit(1)
        ).first()
        if row is None or row.at >= moment:
            end = middle
        else:
            low = row.seq + 1
    return int(low)

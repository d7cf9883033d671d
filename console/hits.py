"""Looks at watch-list hits: who saw that somebody was seen is audited by entry (L-08)."""

import datetime as dt
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.models import Incident
from console.accounts.models import User
from console.api.purposes import Look, Purpose, note_look
from storage.audit import AuditRow

# A page that fetches a part of an incident over and over is one look.
_ONE_LOOK: Final = dt.timedelta(minutes=10)


def entry_of(incident: Incident) -> str | None:
    """The watch-list entry that an incident is a hit of."""
    entry = incident.reason_args.get("entry_id") if incident.reason == "watchlist_hit" else None
    return entry if isinstance(entry, str) else None


def note_incident(
    session: Session, at: dt.datetime, user: User, incident: Incident, purpose: Purpose
) -> None:
    """Notes a look at an incident that names a person, a plate or a credential, and at its entry."""
    if incident.subject is None:
        return
    note_look(session, at, user, Look("incident.viewed", purpose, incident.id, incident.subject_kind or ""))
    entry = entry_of(incident)
    if entry is not None:
        look = Look("watchlist.hit_viewed", purpose, f"watchlist:{entry}", f"incident:{incident.id}")
        note_look(session, at, user, look)


def looked_lately(session: Session, at: dt.datetime, user: User, incident: Incident) -> bool:
    """Whether this user's look at an incident was noted within ten minutes."""
    return (
        session.scalar(
            select(AuditRow.seq)
            .where(
                AuditRow.subject == incident.id,
                AuditRow.action == "incident.viewed",
                AuditRow.actor == user.id,
                AuditRow.at > at - _ONE_LOOK,
            )
            .limit(1)
        )
        is not None
    )

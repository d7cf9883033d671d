"""What comes back with time: groups that have waited, what is quiet no longer, what nobody has taken on."""

import datetime as dt
from typing import Final

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from alerts.incidents.models import Incident
from alerts.routing.models import RouteGroup, Telling
from alerts.routing.telling import Teller

AT_ONCE: Final = 100
"""Groups and tellings in one commit; the rest has its turn half a second later."""

_KEPT: Final = dt.timedelta(days=1)


def groups(session: Session, now: dt.datetime) -> int:
    """Tells the groups that are due, and looks again at what is; returns how many notices were asked for."""
    teller = Teller(session, now)
    due = session.scalars(
        select(RouteGroup)
        .where(RouteGroup.due_at <= now)
        .order_by(RouteGroup.due_at, RouteGroup.id)
        .limit(AT_ONCE)
    ).all()
    told = sum(teller.flush(group) for group in due)
    rows = session.execute(
        select(Telling, Incident)
        .join(Incident, Incident.id == Telling.incident)
        .where(Telling.again_at <= now)
        .order_by(Telling.again_at, Telling.incident, Telling.receiver)
        .limit(AT_ONCE)
    ).all()
    told += sum(teller.again(row, incident) for row, incident in rows)
    return told


def sweep(session: Session, now: dt.datetime) -> int:
    """Forgets groups that have had nothing in them for a day."""
    empty = ~exists().where(Telling.group == RouteGroup.id)
    gone = session.execute(
        delete(RouteGroup)
        .where(RouteGroup.opened_at < now - _KEPT, RouteGroup.due_at.is_(None), empty)
        .returning(RouteGroup.id)
        .execution_options(synchronize_session=False)
    ).all()
    return len(gone)

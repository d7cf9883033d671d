"""Which incident a further signal belongs to: the rows that make an incident one.

An incident's row is the lock under which its keys change; a new key is the database's to give, once.
"""

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from alerts.incidents.models import Incident, IncidentKey


def lock_holders(session: Session, compound: str, keys: Iterable[str]) -> None:
    """Locks the incidents of several keys by their ids, so that no two writers wait in a ring."""
    wanted = sorted(set(keys))
    if not wanted:
        return
    holders = select(IncidentKey.incident).where(
        IncidentKey.compound == compound, IncidentKey.key.in_(wanted)
    )
    session.scalars(
        select(Incident)
        .where(Incident.id.in_(holders))
        .order_by(Incident.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def holder(session: Session, compound: str, key: str) -> tuple[IncidentKey, Incident] | None:
    """The incident that has a key, locked, with the key's row as it is under the lock."""
    query = (
        select(IncidentKey)
        .where(IncidentKey.compound == compound, IncidentKey.key == key)
        .execution_options(populate_existing=True)
    )
    row = session.scalars(query).one_or_none()
    while row is not None:
        incident = session.scalars(
            select(Incident)
            .where(Incident.id == row.incident)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).one()
        before = row.incident
        row = session.scalars(query).one_or_none()
        if row is not None and row.incident == before:
            return row, incident
    return None


def hold(
    session: Session, incident: Incident, key: str, at: dt.datetime, seen: IncidentKey | None = None
) -> None:
    """Gives a key to an incident, or says that it was said once more.

    `seen` is the key's row as `holder` found it. What nobody had then is inserted, whatever is there by
    now: raises `IntegrityError` where another writer was faster.
    """
    if seen is None:
        session.add(IncidentKey(compound=incident.compound, key=key, incident=incident.id, last_at=at))
    else:
        seen.incident = incident.id
        seen.last_at = max(seen.last_at, at)
    session.flush()


def held(session: Session, incident_id: str) -> list[IncidentKey]:
    """The keys under which an incident still grows."""
    query = select(IncidentKey).where(IncidentKey.incident == incident_id).order_by(IncidentKey.key)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def release(session: Session, incident_id: str) -> None:
    """What happens from now on is another incident."""
    session.flush()
    session.execute(delete(IncidentKey).where(IncidentKey.incident == incident_id))

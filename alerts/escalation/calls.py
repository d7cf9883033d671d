"""That an operator called 110, 119 or 120: written down by whoever did. Nothing here ever dials."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.dispatch.models import IncidentCall
from alerts.escalation.services import NUMBERS
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import State
from alerts.incidents.record import load, record
from registry.errors import RefusedError
from storage import audit, new_id


def called(
    session: Session, incident_id: str, number: str, actor: Actor, at: dt.datetime, note: str | None = None
) -> IncidentCall:
    """Writes down a call. Raises `RefusedError`: `number_unknown`, `already_ended`."""
    incident = load(session, incident_id)
    if number not in NUMBERS:
        raise RefusedError("number_unknown")
    if not State(incident.state).is_open:
        raise RefusedError("already_ended")
    row = IncidentCall(
        id=new_id(),
        incident=incident.id,
        compound=incident.compound,
        number=number,
        actor=actor.id,
        at=at,
        note=note,
    )
    session.add(row)
    session.flush()
    record(session, incident, State(incident.state), actor, at, reason=f"called_{number}")
    entry = audit.AuditEntry(
        actor.id, actor.role, "incident.called", "incident_handling", incident.id, number
    )
    audit.append(session, at, entry)
    return row


def calls_of(session: Session, incident_id: str) -> Sequence[IncidentCall]:
    """Every call of an incident, the first first."""
    query = select(IncidentCall).where(IncidentCall.incident == incident_id)
    return session.scalars(query.order_by(IncidentCall.at, IncidentCall.id)).all()

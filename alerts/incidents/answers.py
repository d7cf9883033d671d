"""What people saw who compared, one answer each."""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import UNDECIDED, Comparison, State, StepRefusedError
from alerts.incidents.models import Incident, IncidentAnswer
from alerts.incidents.record import load
from storage import audit, new_id


def give(
    session: Session, incident_id: str, answer: Comparison, actor: Actor, at: dt.datetime
) -> IncidentAnswer:
    """Writes down an answer; a second one of the same person takes the place of the first.

    Raises `IncidentNotFoundError`, and `StepRefusedError` (`already_decided`) once it was confirmed or
    called false: what was acted on stays what it was.
    """
    incident = load(session, incident_id)
    state = State(incident.state)
    if state not in UNDECIDED:
        raise StepRefusedError(state, State.CONFIRMED, "already_decided")
    row = put(session, incident, answer, actor, at)
    entry = audit.AuditEntry(
        actor.id, actor.role, "incident.answered", "incident_handling", incident.id, str(answer)
    )
    audit.append(session, at, entry)
    return row


def put(
    session: Session, incident: Incident, answer: Comparison, actor: Actor, at: dt.datetime
) -> IncidentAnswer:
    """The row of an answer. The caller has locked the incident."""
    row = session.scalars(
        select(IncidentAnswer).where(IncidentAnswer.incident == incident.id, IncidentAnswer.actor == actor.id)
    ).one_or_none()
    if row is None:
        row = IncidentAnswer(
            id=new_id(), incident=incident.id, compound=incident.compound, actor=actor.id, role=actor.role
        )
        session.add(row)
    row.answer, row.at = answer, at
    session.flush()
    return row


def to(session: Session, incident_id: str) -> list[IncidentAnswer]:
    """All answers to an incident, the first given first."""
    query = select(IncidentAnswer).where(IncidentAnswer.incident == incident_id)
    return list(session.scalars(query.order_by(IncidentAnswer.at, IncidentAnswer.id)))


def given(session: Session, incident_id: str) -> dict[str, Comparison]:
    """Who said what."""
    return {row.actor: Comparison(row.answer) for row in to(session, incident_id)}

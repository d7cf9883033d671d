"""Writing an incident's change: state, history row and message in one commit."""

import datetime as dt

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from alerts import reactions
from alerts.incidents import deadlines, keys
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident, MergeProposal, Transition
from bus import subjects
from bus.messages import IncidentChanged, encode
from storage import new_id
from storage.events import enqueue


class IncidentNotFoundError(LookupError):
    """There is no such incident."""

    def __init__(self, incident_id: str) -> None:
        super().__init__(f"no incident {incident_id}")
        self.incident_id = incident_id


class StaleVersionError(Exception):
    """Somebody else was faster; `current_version` is what the incident is at now."""

    def __init__(self, incident_id: str, current_version: int) -> None:
        super().__init__(f"incident {incident_id} is at version {current_version}")
        self.incident_id = incident_id
        self.current_version = current_version


def load(session: Session, incident_id: str) -> Incident:
    """The incident, locked against other writers until the transaction ends."""
    # The session may have read it before the lock was had: what counts is the row as it is now.
    incident = session.scalars(
        select(Incident)
        .where(Incident.id == incident_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if incident is None:
        raise IncidentNotFoundError(incident_id)
    return incident


def record(
    session: Session,
    incident: Incident,
    to: State,
    actor: Actor,
    at: dt.datetime,
    *,
    reason: str | None = None,
    note: str | None = None,
) -> None:
    """Writes the new state with its history row and its message; its timer begins anew.

    A step is never dated before the one that it follows, whichever of two hands had looked at the
    clock first.
    """
    before = State(incident.state) if incident.version else None
    at = _not_before_the_last(session, incident, at) if before is not None else at
    incident.state = to
    incident.version += 1
    if before is not to:
        running = deadlines.after_step(before, to, incident.severity, at, incident.due_at)
        incident.due_at = None if incident.held else running
        incident.escalation = 0
    if not to.grows:
        keys.release(session, incident.id)
        _overtake(session, incident, at)
    session.add(
        Transition(
            id=new_id(),
            incident=incident.id,
            version=incident.version,
            from_state=before,
            to_state=to,
            actor=actor.id,
            role=actor.role,
            at=at,
            reason=reason,
            note=note,
        )
    )
    announce(session, incident, at)


def _not_before_the_last(session: Session, incident: Incident, at: dt.datetime) -> dt.datetime:
    last = session.scalar(
        select(Transition.at)
        .where(Transition.incident == incident.id)
        .order_by(Transition.version.desc())
        .limit(1)
    )
    return at if last is None else max(at, last)


def _overtake(session: Session, incident: Incident, at: dt.datetime) -> None:
    """Nobody needs to say any more whether it is one with another."""
    session.execute(
        update(MergeProposal)
        .where(
            MergeProposal.state == "open",
            or_(MergeProposal.first == incident.id, MergeProposal.second == incident.id),
        )
        .values(state="overtaken", decided_at=at)
    )


def announce(session: Session, incident: Incident, at: dt.datetime) -> None:
    """Puts the incident's present state into the outbox, and leaves the change to be reacted to."""
    message = IncidentChanged(
        id=incident.id,
        compound=incident.compound,
        version=incident.version,
        state=incident.state,
        severity=incident.severity,
        ring=incident.ring,
        at=at,
    )
    reactions.note(session, incident, at)
    session.flush()
    enqueue(
        session,
        [
            (
                f"incident:{incident.id}:{incident.version}",
                subjects.incident(incident.compound),
                encode(message),
            )
        ],
    )

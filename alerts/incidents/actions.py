"""Steps of an incident that people take."""

import datetime as dt

from sqlalchemy.orm import Session

from alerts.dispatch.actions import release
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import State, Step, check
from alerts.incidents.models import Incident
from alerts.incidents.record import IncidentNotFoundError, StaleVersionError, load, record
from storage import audit

__all__ = ["IncidentNotFoundError", "StaleVersionError", "take_step"]


def take_step(
    session: Session,
    incident_id: str,
    step: Step,
    actor: Actor,
    at: dt.datetime,
    *,
    expected_version: int | None = None,
    note: str | None = None,
) -> Incident:
    """Moves an incident one step.

    Raises `IncidentNotFoundError`, `StaleVersionError` when `expected_version` is not the
    present one, and `StepRefusedError` when the life cycle does not allow it.
    """
    incident = load(session, incident_id)
    if expected_version is not None and incident.version != expected_version:
        raise StaleVersionError(incident.id, incident.version)
    state = State(incident.state)
    check(state, step, needs_comparison=incident.needs_comparison)
    if step.comparison is not None:
        incident.comparison = step.comparison
    if step.to is State.FALSE_ALARM and step.reason is not None:
        incident.false_alarm_reason = step.reason
    if step.to is State.RESOLVED and note:
        incident.resolution = note
    record(session, incident, step.to, actor, at, reason=step.reason, note=note)
    if step.to in {State.RESOLVED, State.FALSE_ALARM, State.CLOSED, State.AUTO_CLEARED}:
        release(session, incident, at)
    if actor.role != "system":
        audit.append(
            session,
            at,
            audit.AuditEntry(
                actor.id,
                actor.role,
                f"incident.{step.to}",
                "incident_handling",
                incident.id,
                step.reason or step.comparison or "",
            ),
        )
    return incident

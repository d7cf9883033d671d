"""Putting incidents aside and taking them back, each written into the history with who and until when."""

import datetime as dt
from collections.abc import Mapping
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from alerts.incidents.actor import SYSTEM, Actor
from alerts.incidents.aside import Aside, AsideReason, Back, back, refusal
from alerts.incidents.lifecycle import State, StepRefusedError
from alerts.incidents.models import Incident, IncidentAside
from alerts.incidents.record import StaleVersionError, load, record
from storage import audit

PUT: Final = "put_aside"
"""The history's word; its note is the end, a blank, and the reason's code."""

_AT_ONCE: Final = 200
_STAYS: Final = tuple(state for state in State if state.grows)


def put_aside(
    session: Session,
    incident_id: str,
    reason: AsideReason | None,
    lasts: dt.timedelta,
    actor: Actor,
    at: dt.datetime,
    *,
    expected_version: int | None = None,
) -> IncidentAside:
    """Puts an incident aside for `lasts`; once more while it is aside sets another end.

    Raises `IncidentNotFoundError`, `StaleVersionError`, and `StepRefusedError` with a code of
    `aside.refusal`.
    """
    incident = _load(session, incident_id, expected_version)
    state = State(incident.state)
    code = refusal(state, incident.severity, reason, lasts, held=incident.held)
    if code is not None or reason is None:
        raise StepRefusedError(state, state, code or "aside_reason_required")
    until = at + lasts
    row = session.get(IncidentAside, incident.id)
    if row is None:
        row = IncidentAside(incident=incident.id, compound=incident.compound)
        session.add(row)
    row.actor, row.at, row.until, row.reason = actor.id, at, until, str(reason)
    row.severity, row.signal_count = incident.severity, incident.signal_count
    record(session, incident, state, actor, at, reason=PUT, note=f"{until.isoformat()} {reason}")
    _audit(session, incident, actor, at, "incident.put_aside", str(reason))
    return row


def take_back(
    session: Session,
    incident_id: str,
    actor: Actor,
    at: dt.datetime,
    *,
    expected_version: int | None = None,
) -> Incident:
    """Puts it in front again. Raises as `put_aside` does; `aside_not_aside` where it stands in front."""
    incident = _load(session, incident_id, expected_version)
    row = session.get(IncidentAside, incident.id)
    state = State(incident.state)
    if row is None:
        raise StepRefusedError(state, state, "aside_not_aside")
    session.delete(row)
    record(session, incident, state, actor, at, reason=Back.TAKEN_BACK)
    _audit(session, incident, actor, at, "incident.taken_back", "")
    return incident


def sweep(session: Session, now: dt.datetime) -> int:
    """Brings back what has to come back; returns how many. What ended meanwhile is simply aside no more."""
    due = session.scalars(
        select(IncidentAside.incident)
        .join(Incident, Incident.id == IncidentAside.incident)
        .where(
            or_(
                IncidentAside.until <= now,
                Incident.severity < IncidentAside.severity,
                Incident.signal_count > IncidentAside.signal_count,
                Incident.state.not_in(_STAYS),
            )
        )
        .order_by(IncidentAside.incident)
        .limit(_AT_ONCE)
    ).all()
    return sum(_bring_back(session, incident_id, now) for incident_id in due)


def _bring_back(session: Session, incident_id: str, now: dt.datetime) -> bool:
    incident = load(session, incident_id)
    row = session.get(IncidentAside, incident_id, populate_existing=True)
    if row is None:
        # Somebody was faster.
        return False
    state = State(incident.state)
    if not state.grows:
        session.delete(row)
        return True
    why = back(of(row), incident.severity, incident.signal_count, now)
    if why is None:
        return False
    session.delete(row)
    record(session, incident, state, SYSTEM, now, reason=why)
    return True


def all_aside(session: Session, compound: str) -> Mapping[str, IncidentAside]:
    """What is aside in a compound, by incident; `aside.back` says of each whether it still is."""
    rows = session.scalars(select(IncidentAside).where(IncidentAside.compound == compound))
    return {row.incident: row for row in rows}


def of(row: IncidentAside) -> Aside:
    """The row as a value."""
    return Aside(row.until, row.severity, row.signal_count)


def _load(session: Session, incident_id: str, expected_version: int | None) -> Incident:
    incident = load(session, incident_id)
    if expected_version is not None and incident.version != expected_version:
        raise StaleVersionError(incident.id, incident.version)
    return incident


def _audit(
    session: Session, incident: Incident, actor: Actor, at: dt.datetime, action: str, detail: str
) -> None:
    entry = audit.AuditEntry(actor.id, actor.role, action, "incident_handling", incident.id, detail)
    audit.append(session, at, entry)

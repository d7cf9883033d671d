"""Links that rest on nearness in place and time alone: a person says whether they are right.

A wrong one is taken out: what was merged for it comes apart, what had joined without an incident of its
own gets one, and the signal that said so stays as refuted evidence. Only here does an incident get
milder, since somebody said that part of it was never its own.
"""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents import deadlines, joining, keys, merging
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import State
from alerts.incidents.merging import MergeRefusedError
from alerts.incidents.models import Evidence, Incident
from alerts.incidents.portrait import Portrait, of_trace
from alerts.incidents.record import IncidentNotFoundError, StaleVersionError, load, record
from storage import audit, new_id


def right(
    session: Session,
    compound: str,
    incident_id: str,
    actor: Actor,
    at: dt.datetime,
    *,
    expected_version: int | None = None,
) -> Incident:
    """Somebody says that it is one thing. Raises as `wrong` does."""
    incident = _probable(session, compound, incident_id, expected_version)
    incident.probable = False
    record(session, incident, State(incident.state), actor, at, reason="link_right")
    _note(session, at, actor, incident.id, "link_right")
    return incident


def wrong(
    session: Session,
    compound: str,
    incident_id: str,
    actor: Actor,
    at: dt.datetime,
    *,
    expected_version: int | None = None,
) -> list[Incident]:
    """Somebody says that it is not: returns what there is instead, the incident itself first.

    Raises `IncidentNotFoundError`, `StaleVersionError` and `MergeRefusedError` (`not_probable`,
    `merge_ended`, and what an undo is refused for).
    """
    incident = _probable(session, compound, incident_id, expected_version)
    apart: list[Incident] = [incident]
    for made in joining.standing(session, incident.id):
        if not made.before.get("probable"):
            continue
        source = load(session, made.source)
        refused = merging.undo_refusal(session, made, incident, source)
        if refused is not None:
            raise MergeRefusedError(refused)
        joining.take_apart(session, made, incident, source, actor, at)
        apart.append(source)
    rows = session.scalars(
        select(Evidence).where(Evidence.incident == incident.id).order_by(Evidence.at, Evidence.signal_id)
    ).all()
    weak = [row for row in rows if row.trace.get("probable")]
    joined = {key for row in weak for key in row.trace.get("joins", ())} - {incident.key}
    for key in sorted(joined):
        theirs = [row for row in rows if row.key == key and row not in weak]
        if theirs:
            apart.append(_open(session, incident, key, theirs, actor, at))
    for row in weak:
        row.trace = {**row.trace, "refuted_by": actor.id}
    session.flush()
    left = [row for row in rows if row not in weak and row.incident == incident.id]
    _show(incident, left or weak)
    incident.signal_count = sum(row.incident == incident.id for row in rows)
    incident.probable = False
    record(session, incident, State(incident.state), actor, at, reason="link_wrong")
    incident.due_at = None if incident.held else deadlines.due(State(incident.state), incident.severity, at)
    session.flush()
    _note(session, at, actor, incident.id, "link_wrong")
    return apart


def _open(
    session: Session, parent: Incident, key: str, rows: Sequence[Evidence], actor: Actor, at: dt.datetime
) -> Incident:
    """An incident of its own for what had been taken for part of another."""
    first = rows[0]
    made = Incident(
        id=new_id(),
        compound=parent.compound,
        rule=first.rule,
        key=key,
        state=State.RAISED,
        version=0,
        happened_at=first.at,
        raised_at=at,
        last_signal_at=first.at,
        signal_count=0,
        rules_version=first.trace.get("rules"),
        mode=first.trace.get("mode", "normal"),
        care=parent.care,
        held=False,
        escalation=0,
        team=parent.team,
    )
    _show(made, rows)
    session.add(made)
    session.flush()
    for row in rows:
        row.incident = made.id
    for held in keys.held(session, parent.id):
        if held.key == key:
            held.incident = made.id
    session.flush()
    record(session, made, State.RAISED, actor, at, reason="split_off", note=parent.id)
    return made


def _show(incident: Incident, rows: Sequence[Evidence]) -> None:
    """What an incident looks like that stands on these signals alone."""
    seen: Portrait | None = None
    for row in rows:
        heard = of_trace(row.severity, row.trace)
        if heard is not None:
            seen = heard if seen is None else seen.with_heard(heard, decided=False)
    incident.signal_count = len(rows)
    if rows:
        incident.last_signal_at = max(row.at for row in rows)
    if seen is not None:
        joining.show(incident, seen)


def _probable(session: Session, compound: str, incident_id: str, expected_version: int | None) -> Incident:
    incident = load(session, incident_id)
    if incident.compound != compound:
        raise IncidentNotFoundError(incident_id)
    if expected_version is not None and incident.version != expected_version:
        raise StaleVersionError(incident.id, incident.version)
    if not State(incident.state).grows:
        raise MergeRefusedError("merge_ended")
    if not incident.probable:
        raise MergeRefusedError("not_probable")
    return incident


def _note(session: Session, at: dt.datetime, actor: Actor, incident_id: str, what: str) -> None:
    entry = audit.AuditEntry(actor.id, actor.role, f"incident.{what}", "incident_handling", incident_id, "")
    audit.append(session, at, entry)

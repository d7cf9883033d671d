"""How one incident becomes part of another, and comes out again as it was.

Evidence, keys and looks go over; what both were is kept with the merge. Whether it may be done is
`merging`'s to say.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alerts.incidents import deadlines, keys
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import UNDECIDED, State
from alerts.incidents.models import Evidence, Incident, IncidentMerge
from alerts.incidents.portrait import Portrait, of_trace
from alerts.incidents.record import record
from storage import new_id

# What an incident looks like and is, besides its place in the life cycle: what an undo brings back.
_KEPT: Final = (
    *("severity", "kind", "ring", "zone", "device_id", "lane", "reason", "reason_args", "needs_comparison"),
    *("subject_kind", "subject", "probable", "blind", "comparison", "team", "held", "held_reason"),
    *("signal_count", "escalation"),
)
_TIMES: Final = ("happened_at", "last_signal_at")


def looks(incident: Incident) -> Portrait:
    """The portrait that an incident's columns hold."""
    fields = {name: getattr(incident, name) for name in Portrait.__dataclass_fields__}
    fields["blind"] = tuple(fields["blind"] or ())
    return Portrait(**fields)


def show(incident: Incident, portrait: Portrait) -> None:
    """Puts a portrait into an incident's columns."""
    for name in Portrait.__dataclass_fields__:
        value = getattr(portrait, name)
        if name == "blind":
            value = [dict(one) for one in value]
        elif name == "reason_args":
            value = dict(value)
        setattr(incident, name, value)


def take_in(
    session: Session,
    target: Incident,
    source: Incident,
    actor: Actor,
    at: dt.datetime,
    *,
    rule: str | None = None,
    note: str | None = None,
    probable: bool = False,
) -> IncidentMerge:
    """Makes the source part of the target. The caller has locked both and asked `refusal`."""
    session.flush()
    moved = evidence_of(session, source.id)
    before: dict[str, Any] = {
        "target": _snapshot(target),
        "source": _snapshot(source),
        "target_evidence": [row.signal_id for row in evidence_of(session, target.id)],
        "evidence": {row.signal_id: row.moved_from for row in moved},
        "keys": keys_of(session, source.id),
        "sources": list(session.scalars(select(Incident.id).where(Incident.merged_into == source.id))),
        "probable": probable,
    }
    for row in moved:
        row.incident, row.moved_from = target.id, row.moved_from or source.id
    for key in keys.held(session, source.id):
        key.incident = target.id
    session.flush()
    _point(session, before["sources"], target.id)
    severity = target.severity
    after = looks(target).with_heard(looks(source), decided=State(target.state) not in UNDECIDED)
    if after.kind != target.kind or after.zone != target.zone:
        target.team = source.team
    show(target, after)
    target.probable = target.probable or probable
    # Whichever of them the operators were shown is what they have before them.
    target.held = target.held and source.held
    target.signal_count += source.signal_count
    target.happened_at = min(target.happened_at, source.happened_at)
    target.last_signal_at = max(target.last_signal_at, source.last_signal_at)
    if target.held:
        target.due_at = None
    elif target.severity < severity or (before["target"]["held"] and target.due_at is None):
        target.due_at = deadlines.after_rise(State(target.state), target.severity, at, target.due_at)
    reason = "merged" if rule is None else "merged_by_rule"
    source.merged_into = target.id
    record(session, source, State.MERGED, actor, at, reason=reason, note=note)
    record(session, target, State(target.state), actor, at, reason="took_in", note=source.id)
    before["target_version"] = target.version
    made = IncidentMerge(
        id=new_id(),
        compound=target.compound,
        target=target.id,
        source=source.id,
        actor=actor.id,
        rule=rule,
        at=at,
        note=note,
        before=before,
    )
    session.add(made)
    session.flush()
    return made


def take_apart(
    session: Session,
    made: IncidentMerge,
    target: Incident,
    source: Incident,
    actor: Actor,
    at: dt.datetime,
) -> None:
    """Undoes a merge that may be undone. The caller has locked both."""
    before: dict[str, Any] = made.before
    present = {row.signal_id: row for row in evidence_of(session, target.id)}
    theirs = set(before["keys"])
    since: list[tuple[Incident, Evidence]] = []
    for signal_id, row in present.items():
        if signal_id in before["evidence"]:
            row.incident, row.moved_from = source.id, before["evidence"][signal_id]
        elif signal_id not in before["target_evidence"]:
            whose = source if row.key in theirs else target
            row.incident = whose.id
            since.append((whose, row))
    session.flush()
    for key in keys.held(session, target.id):
        if key.key in theirs:
            key.incident = source.id
    session.flush()
    _point(session, before["sources"], source.id)
    source.merged_into = None
    _restore(target, before["target"])
    _restore(source, before["source"])
    for whose, row in since:
        _heard_since(whose, row)
    made.undone_at, made.undone_by = at, actor.id
    record(session, source, State(before["source"]["state"]), actor, at, reason="merge_undone")
    record(session, target, State(target.state), actor, at, reason="gave_back", note=source.id)
    for incident in (source, target):
        running = deadlines.due(State(incident.state), incident.severity, at)
        incident.due_at = None if incident.held else running
    session.flush()


def standing(session: Session, incident_id: str) -> Sequence[IncidentMerge]:
    """What an incident has taken in and still has, the last first."""
    return session.scalars(
        select(IncidentMerge)
        .where(IncidentMerge.target == incident_id, IncidentMerge.undone_at.is_(None))
        .order_by(IncidentMerge.at.desc(), IncidentMerge.id.desc())
    ).all()


def evidence_of(session: Session, incident_id: str) -> Sequence[Evidence]:
    query = select(Evidence).where(Evidence.incident == incident_id)
    return session.scalars(query.order_by(Evidence.at, Evidence.signal_id)).all()


def keys_of(session: Session, incident_id: str) -> list[str]:
    return [row.key for row in keys.held(session, incident_id)]


def _heard_since(incident: Incident, row: Evidence) -> None:
    heard = of_trace(row.severity, row.trace)
    if heard is not None:
        show(incident, looks(incident).with_heard(heard, decided=State(incident.state) not in UNDECIDED))
    incident.signal_count += 1
    incident.last_signal_at = max(incident.last_signal_at, row.at)


def _snapshot(incident: Incident) -> dict[str, Any]:
    kept = {name: getattr(incident, name) for name in _KEPT}
    times = {name: getattr(incident, name).isoformat() for name in _TIMES}
    return kept | times | {"state": str(incident.state)}


def _restore(incident: Incident, snapshot: dict[str, Any]) -> None:
    for name in _KEPT:
        setattr(incident, name, snapshot[name])
    for name in _TIMES:
        setattr(incident, name, dt.datetime.fromisoformat(snapshot[name]))


def _point(session: Session, sources: Sequence[str], target: str) -> None:
    if sources:
        session.execute(update(Incident).where(Incident.id.in_(sources)).values(merged_into=target))

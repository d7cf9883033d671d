"""From signals to incidents: one per thing that happened, amended as facts arrive."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.models import Team
from alerts.incidents.actor import SYSTEM
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Evidence, Incident
from alerts.incidents.record import announce, record
from alerts.routing.tree import Facts, Route, route
from alerts.rules import Clear, Signal
from storage import content_id, new_id


def signal_id(signal: Signal) -> str:
    """A signal's identity: the rule and what made it curious. A replay gives the same."""
    return content_id(*(part for part in (signal.rule, signal.anchor.id, signal.stage) if part))


def apply(
    session: Session, compound: str, signal: Signal, at: dt.datetime, routes: Sequence[Route]
) -> Incident | None:
    """Raises an incident or amends the one the signal belongs to.

    Returns None when the signal is known already. Uniqueness is the database's: evidence
    is keyed by signal, an incident that may still grow by its dedupe key.
    """
    identity = signal_id(signal)
    if session.get(Evidence, identity) is not None:
        return None
    # Compounds do not share incidents, so neither do their keys.
    key = f"{compound}:{signal.dedupe_key}"
    incident = session.scalars(
        select(Incident).where(Incident.active_key == key).with_for_update()
    ).one_or_none()
    if incident is not None and signal.anchor.at - incident.last_signal_at > signal.dedupe_window:
        incident.active_key = None
        session.flush()
        incident = None
    if incident is None:
        incident = _raise(session, compound, signal, key, at, routes)
    else:
        _amend(session, incident, signal, at, routes)
    session.add(
        Evidence(
            signal_id=identity,
            incident=incident.id,
            rule=signal.rule,
            severity=signal.severity,
            at=signal.anchor.at,
            event_ids=list(dict.fromkeys(seen.event_id for seen in signal.evidence)),
            sighting_ids=[seen.sighting_id for seen in signal.evidence if seen.sighting_id],
        )
    )
    return incident


def clear(session: Session, compound: str, clearing: Clear, at: dt.datetime) -> Incident | None:
    """Ends by itself what nobody has confirmed yet; what is confirmed stays with its people."""
    incident = session.scalars(
        select(Incident).where(Incident.active_key == f"{compound}:{clearing.dedupe_key}").with_for_update()
    ).one_or_none()
    if incident is None or incident.last_signal_at > clearing.at:
        return None
    if State(incident.state) in {State.RAISED, State.ACKNOWLEDGED}:
        record(session, incident, State.AUTO_CLEARED, SYSTEM, at, reason="condition_over")
        return incident
    # The next failure of the same device is another matter.
    incident.active_key = None
    return None


def _raise(
    session: Session,
    compound: str,
    signal: Signal,
    key: str,
    at: dt.datetime,
    routes: Sequence[Route],
) -> Incident:
    anchor = signal.anchor
    incident = Incident(
        id=new_id(),
        compound=compound,
        rule=signal.rule,
        kind=signal.kind,
        ring=anchor.ring,
        zone=anchor.zone,
        device_id=anchor.device,
        lane=anchor.lane,
        severity=signal.severity,
        state=State.RAISED,
        version=0,
        happened_at=anchor.at,
        raised_at=at,
        last_signal_at=anchor.at,
        signal_count=1,
        active_key=key,
        needs_comparison=signal.needs_comparison,
        subject_kind=signal.subject_kind,
        subject=signal.subject,
        reason=signal.reason,
        reason_args=dict(signal.reason_args),
        team=_team(session, compound, signal, routes),
    )
    session.add(incident)
    session.flush()
    record(session, incident, State.RAISED, SYSTEM, at)
    return incident


def _amend(
    session: Session, incident: Incident, signal: Signal, at: dt.datetime, routes: Sequence[Route]
) -> None:
    anchor = signal.anchor
    incident.signal_count += 1
    incident.last_signal_at = max(incident.last_signal_at, anchor.at)
    if signal.severity < incident.severity:
        # Graver, and there: the incident follows its subject. It never gets milder by itself.
        incident.severity = signal.severity
        incident.ring, incident.zone = anchor.ring, anchor.zone
        incident.device_id, incident.lane = anchor.device, anchor.lane
        incident.team = _team(session, incident.compound, signal, routes)
        incident.reason_args = dict(signal.reason_args)
    if incident.subject is None and signal.subject is not None:
        incident.subject_kind, incident.subject = signal.subject_kind, signal.subject
    incident.version += 1
    announce(session, incident, at)


def _team(session: Session, compound: str, signal: Signal, routes: Sequence[Route]) -> str | None:
    """The team that the routes name for where the signal is; None when the compound has none."""
    anchor = signal.anchor
    team_kind = route(routes, Facts(anchor.ring, signal.kind, signal.severity, anchor.zone)).team_kind
    return session.scalars(
        select(Team.id).where(Team.compound == compound, Team.kind == team_kind).order_by(Team.id).limit(1)
    ).first()

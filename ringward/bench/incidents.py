"""Incidents that nobody reported, for what follows from them to be measured."""

import datetime as dt

from sqlalchemy.orm import Session

from alerts.incidents.actor import SYSTEM
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.incidents.record import record
from registry.models import Ring
from ringward.bench.rig import COMPOUND


def raise_forced_door(
    session: Session,
    key: str,
    at: dt.datetime,
    *,
    ring: Ring,
    zone: str,
    device: str,
    lane: str,
    severity: int,
) -> None:
    """A door forced, raised at `at` and known to whoever follows changes when the session commits."""
    incident = Incident(
        id=key,
        compound=COMPOUND,
        rule="R-B05",
        kind="door.forced",
        ring=ring,
        zone=zone,
        device_id=device,
        lane=lane,
        severity=severity,
        state=State.RAISED,
        version=0,
        happened_at=at,
        raised_at=at,
        last_signal_at=at,
        signal_count=1,
        needs_comparison=False,
        reason="door_forced",
        reason_args={},
        held=False,
        escalation=0,
    )
    session.add(incident)
    session.flush()
    record(session, incident, State.RAISED, SYSTEM, at)

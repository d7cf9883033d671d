"""Timers that ran out: said once, by the system, and again while somebody is in danger.

When a timer is due stands in the incident's row, so a restart loses none and a second process says
nothing twice. What ran out while nobody was there to notice is said once, when somebody is.
"""

import datetime as dt
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents import deadlines
from alerts.incidents.actor import SYSTEM
from alerts.incidents.deadlines import RUNS, Timer
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.incidents.record import load, record
from alerts.review import guards

_AT_ONCE: Final = 200
"""How many are taken in one transaction; the rest has waited already and waits for the next."""

_BLOCKED_FOR: Final = dt.timedelta(minutes=15)


def sweep(session: Session, now: dt.datetime) -> int:
    """Escalates every incident whose timer has run out; returns how many."""
    due = session.scalars(
        select(Incident.id)
        .where(Incident.due_at <= now)
        .order_by(Incident.severity, Incident.due_at, Incident.id)
        .limit(_AT_ONCE)
    ).all()
    return sum(_run_out(session, incident_id, now) for incident_id in due)


def _run_out(session: Session, incident_id: str, now: dt.datetime) -> bool:
    incident = load(session, incident_id)
    state = State(incident.state)
    timer = RUNS.get(state)
    if incident.due_at is None or incident.due_at > now:
        # Somebody took a step, or another process was faster.
        return False
    if timer is None:
        incident.due_at = None
        return False
    if timer is Timer.CLOSE and guards.measure_open(session, incident.id):
        # What had to be done first is still to be done: looked at again, and nobody is told of it here.
        incident.due_at = now + _BLOCKED_FOR
        return False
    if timer is Timer.CLOSE:
        record(session, incident, State.CLOSED, SYSTEM, now, reason="reviewed")
        return True
    incident.escalation += 1
    incident.due_at = deadlines.again(state, incident.severity, now)
    record(session, incident, state, SYSTEM, now, reason=f"timeout_{timer}")
    return True

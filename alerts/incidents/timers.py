"""Timers that ran out: written down by the system, one rung of the ladder after the other.

When a timer is due stands in the incident's row, so a restart loses none and a second process says
nothing twice. What ran out while nobody was there to notice is said once, when somebody is. What somebody
took on and was due days ago is written down as overdue; nobody is woken for it.
"""

import datetime as dt
from typing import Final

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from alerts.escalation import ladder
from alerts.incidents import deadlines
from alerts.incidents.actor import SYSTEM
from alerts.incidents.deadlines import RUNS, Timer
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.incidents.record import load, record
from alerts.review import guards

_AT_ONCE: Final = 200
"""How many are taken in one transaction; the rest has waited already and waits for the next."""

OVERDUE: Final = "overdue_"
"""What is written down, before the timer's name, where nobody is told of it."""

_SET_BACK: Final = dt.timedelta(seconds=5)
"""Clocks of two processes may differ by so much without one of them having been set back."""

_BLOCKED_FOR: Final = dt.timedelta(minutes=15)


def sweep(session: Session, now: dt.datetime) -> int:
    """Escalates every incident whose timer has run out; returns how many."""
    _put_right(session, now)
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
    if deadlines.stale(state, incident.due_at, now):
        incident.due_at = None
        record(session, incident, state, SYSTEM, now, reason=f"{OVERDUE}{timer}")
        return True
    incident.escalation += 1
    incident.due_at = deadlines.again(
        state,
        incident.severity,
        now,
        level=incident.escalation,
        rungs=ladder.rungs(timer, incident.severity),
    )
    record(session, incident, state, SYSTEM, now, reason=f"timeout_{timer}")
    return True


def _put_right(session: Session, now: dt.datetime) -> None:
    """Timers that were set before the clock was set back run out as if they had been set now."""
    beyond = [
        and_(
            Incident.state.in_([state for state, waits in RUNS.items() if waits is timer]),
            Incident.severity == severity,
            Incident.due_at > now + max(limit, deadlines.RENOTIFY) + _SET_BACK,
        )
        for timer, limits in deadlines.LIMITS.items()
        for severity, limit in limits.items()
    ]
    rows = session.scalars(select(Incident.id).where(or_(*beyond)).order_by(Incident.id).limit(_AT_ONCE))
    for incident_id in rows.all():
        incident = load(session, incident_id)
        incident.due_at = deadlines.due(State(incident.state), incident.severity, now)

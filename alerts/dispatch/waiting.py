"""Those who were asked and do not answer, who said yes and do not come, and who are there alone."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from alerts.dispatch import lonework
from alerts.dispatch.models import UNDER_WAY, Dispatch, DispatchState
from alerts.dispatch.next import WANTED, ask_companion, ask_next
from alerts.dispatch.sending import going_of
from alerts.dispatch.telling import tell, tell_people
from alerts.escalation.people import operators
from alerts.incidents.deadlines import LIMITS, RENOTIFY, Timer
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.incidents.record import load
from alerts.notify.models import Purpose
from alerts.rounds import Round

_AT_ONCE: Final = 100
_BEYOND: Final = max(
    limit for limits in (LIMITS[Timer.ACCEPT], LIMITS[Timer.ARRIVE]) for limit in limits.values()
)
"""No timer of a dispatch runs longer: one that seems to was set before the clock was set back."""

_COMING: Final = frozenset({DispatchState.ACCEPTED, DispatchState.ASSISTING, DispatchState.EN_ROUTE})


def look(session: Session, now: dt.datetime) -> int:
    """Asks the next one for every dispatch that is overdue; returns how many were."""
    beyond = now + _BEYOND + dt.timedelta(seconds=5)
    due = (Dispatch.due_at <= now) | (Dispatch.due_at > beyond)
    return sum(_overdue(session, row, now) for row in _rows(session, due))


def look_after(session: Session, now: dt.datetime) -> int:
    """Asks those who are alone whether all is well, and tells operators of who does not answer."""
    beyond = now + max(lonework.EVERY.values()) + dt.timedelta(seconds=5)
    due = (Dispatch.alone_due_at <= now) | (Dispatch.alone_due_at > beyond)
    return sum(_alone(session, row, now) for row in _rows(session, due))


ROUNDS: Final = (
    Round("dispatch_timers", dt.timedelta(seconds=1), look, version=1),
    Round("lone_workers", dt.timedelta(seconds=5), look_after, version=1),
)


def _rows(session: Session, due: ColumnElement[bool]) -> Sequence[Dispatch]:
    query = select(Dispatch).where(due).order_by(Dispatch.due_at, Dispatch.id).limit(_AT_ONCE)
    return session.scalars(query).all()


def _held(session: Session, row: Dispatch) -> Incident:
    incident = load(session, row.incident)
    session.refresh(row)
    return incident


def _overdue(session: Session, row: Dispatch, now: dt.datetime) -> bool:
    incident = _held(session, row)
    if row.due_at is None:
        return False
    timer = Timer.ARRIVE if row.state in _COMING else Timer.ACCEPT
    limit = LIMITS[timer].get(incident.severity)
    if row.due_at > now:
        # The clock was set back: it runs out as if it had been set now.
        if row.due_at > now + (limit or _BEYOND):
            row.due_at = None if limit is None else now + limit
        return False
    wanted = State(incident.state) in WANTED and limit is not None
    if not wanted or row.state not in {DispatchState.OFFERED, DispatchState.TAKEN, *_COMING}:
        row.due_at = None
        return False
    if row.state == DispatchState.TAKEN:
        # A volunteer leads by themselves, and this one does not go along.
        row.due_at = None
        session.flush()
        return bool(ask_companion(session, incident, now))
    row.overdue += 1
    # One who was asked is waited for once; one who said yes is asked again while somebody is in danger.
    again = timer is Timer.ARRIVE and incident.severity == 1
    row.due_at = now + RENOTIFY if again else None
    session.flush()
    if timer is Timer.ACCEPT:
        if not _somebody_comes(session, incident):
            ask_next(session, incident, now)
    elif row.overdue == 1:
        # A second one goes, too; the operator is shown whom to call.
        ask_next(session, incident, now)
    return True


def _somebody_comes(session: Session, incident: Incident) -> bool:
    """Whether enough people go already: somebody, and not one volunteer by themselves."""
    going = list(going_of(session, incident, asked=False).values())
    return bool(going) and going != [True]


def _alone(session: Session, row: Dispatch, now: dt.datetime) -> bool:
    incident = _held(session, row)
    if row.alone_due_at is None:
        return False
    if row.state not in UNDER_WAY or not State(incident.state).is_open:
        row.alone_due_at = row.alone_asked_at = None
        return False
    if row.alone_due_at > now:
        row.alone_due_at = min(row.alone_due_at, lonework.first(incident.severity, now))
        return False
    if len(going_of(session, incident, asked=False)) > 1:
        row.alone_asked_at = None
        row.alone_due_at = lonework.first(incident.severity, now)
        return False
    if row.alone_asked_at is None:
        row.alone_asked_at, row.alone_due_at = now, now + lonework.ANSWER
        row.alone_asked += 1
        session.flush()
        key = f"alone:{row.id}:{row.offers}.{row.alone_asked}"
        tell(session, incident, row, Purpose.LONE_WORKER, now, key=key)
        return True
    # No answer: somebody has to find out, and is told until they answer.
    row.alone_due_at = None
    tell_people(
        session,
        incident,
        operators(session, incident.compound, now),
        Purpose.HELP,
        f"silent:{row.id}:{row.offers}.{row.alone_asked}",
        now,
        severity=1,
        dispatch=row.id,
        more={"why": "no_answer"},
    )
    return True

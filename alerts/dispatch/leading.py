"""Who leads: the one to whom `lead_of` says so, and what the others are told when that changes."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy.orm import Session

from alerts.dispatch.models import UNDER_WAY, Dispatch, DispatchState
from alerts.dispatch.next import companion_missing
from alerts.dispatch.sending import dispatches_of
from alerts.dispatch.telling import announce, tell
from alerts.incidents.actor import Actor
from alerts.incidents.deadlines import LIMITS, Timer
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.incidents.record import record
from alerts.notify import asking
from alerts.notify.models import Purpose


def taken(session: Session, incident: Incident, others: Sequence[Dispatch], at: dt.datetime) -> None:
    """Everybody else sees at once that it is taken, without having pressed anything.

    Where a volunteer leads by themselves the others are waited for as for an answer: one is to go along.
    """
    second = companion_missing(session, incident)
    limit = LIMITS[Timer.ACCEPT].get(incident.severity) if second else None
    for row in others:
        if row.state != DispatchState.OFFERED:
            continue
        row.state = DispatchState.TAKEN
        row.due_at = None if limit is None else at + limit
        session.flush()
        announce(session, row, at)
        asking.withdraw(session, at, dispatch=row.id, purposes=(Purpose.OFFER,))
        tell(session, incident, row, Purpose.TAKEN, at, more={"second_wanted": True} if second else None)


def leaderless(
    session: Session, incident: Incident, actor: Actor, at: dt.datetime, reason: str = "declined"
) -> None:
    """Who led does not go on: somebody who goes along leads, else it is everybody's again."""
    rows = dispatches_of(session, incident.id)
    going = sorted(
        (row for row in rows if row.state in UNDER_WAY),
        key=lambda row: (row.state != DispatchState.ARRIVED, row.answered_at or row.offered_at, row.id),
    )
    if going:
        lead(session, incident, going[0], actor, at, reason)
        return
    for other in rows:
        if other.state == DispatchState.TAKEN:
            _offered_again(session, incident, other, at)
    if State(incident.state) in {State.ACCEPTED, State.EN_ROUTE}:
        record(session, incident, State.DISPATCHED, actor, at, reason=reason)


def _offered_again(session: Session, incident: Incident, row: Dispatch, at: dt.datetime) -> None:
    limit = LIMITS[Timer.ACCEPT].get(incident.severity)
    row.state = DispatchState.OFFERED
    row.answered_at = None
    row.offers += 1
    row.overdue = 0
    row.due_at = None if limit is None else at + limit
    session.flush()
    announce(session, row, at)
    asking.withdraw(session, at, dispatch=row.id, purposes=(Purpose.TAKEN,))
    tell(session, incident, row, Purpose.OFFER, at)


def lead(
    session: Session, incident: Incident, row: Dispatch, actor: Actor, at: dt.datetime, reason: str
) -> None:
    row.lead_of = incident.id
    if row.state == DispatchState.ASSISTING:
        row.state = DispatchState.ACCEPTED
    session.flush()
    announce(session, row, at)
    record(session, incident, State(incident.state), actor, at, reason=reason)
    tell(
        session,
        incident,
        row,
        Purpose.OFFER,
        at,
        key=f"lead:{row.id}:{incident.version}",
        more={"you_lead": True},
    )

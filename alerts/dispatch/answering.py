"""Whose answer it is, under the incident's lock; and that whoever answers has heard."""

import datetime as dt

from sqlalchemy import update
from sqlalchemy.orm import Session

from alerts.dispatch.models import Dispatch, DispatchState
from alerts.incidents.models import Incident
from alerts.incidents.record import load
from alerts.notify import asking
from alerts.notify.models import Purpose


class DispatchNotFoundError(LookupError):
    """There is no such dispatch, or it is not this responder's."""

    def __init__(self, dispatch_id: str) -> None:
        super().__init__(f"no dispatch {dispatch_id}")
        self.dispatch_id = dispatch_id


def locked(session: Session, dispatch_id: str, responder_id: str) -> tuple[Dispatch, Incident]:
    """A responder's dispatch and its incident, under the incident's lock. Raises `DispatchNotFoundError`."""
    dispatch = session.get(Dispatch, dispatch_id)
    if dispatch is None or dispatch.responder != responder_id:
        raise DispatchNotFoundError(dispatch_id)
    # The incident's row is the lock under which its dispatches change.
    incident = load(session, dispatch.incident)
    session.refresh(dispatch)
    return dispatch, incident


def heard(session: Session, dispatch: Dispatch, at: dt.datetime) -> None:
    """Whoever answers has seen what they were asked, and is all right."""
    asking.answered(
        session,
        at,
        dispatch=dispatch.id,
        responder=dispatch.responder,
        purposes=(Purpose.OFFER, Purpose.HELP, Purpose.LONE_WORKER, Purpose.TAKEN, Purpose.ESCALATION),
    )
    dispatch.alone_asked_at = None


def mark_seen(session: Session, responder_id: str, at: dt.datetime) -> int:
    """Notes that the responder's phone shows its offers; returns how many were new to it."""
    result = session.execute(
        update(Dispatch)
        .where(
            Dispatch.responder == responder_id,
            Dispatch.seen_at.is_(None),
            Dispatch.state == DispatchState.OFFERED,
        )
        .values(seen_at=at)
        .returning(Dispatch.id)
    ).all()
    return len(result)

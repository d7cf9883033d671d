"""A responder who needs help, and who is all right again."""

import datetime as dt
from typing import Final

from sqlalchemy.orm import Session

from alerts.dispatch import lonework
from alerts.dispatch.answering import locked
from alerts.dispatch.models import UNDER_WAY, Dispatch, DispatchState
from alerts.dispatch.sending import DispatchRefusedError, dispatches_of, offer_by_system
from alerts.dispatch.suggest import ranking
from alerts.dispatch.telling import announce, tell_people
from alerts.escalation.people import operators
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import State
from alerts.incidents.record import record
from alerts.notify.asking import answered, withdraw
from alerts.notify.models import Purpose

_NEAREST: Final = 3


def need_help(session: Session, dispatch_id: str, responder_id: str, at: dt.datetime) -> Dispatch:
    """Operators and the nearest others are told at once, as the gravest there is. Twice changes nothing.

    Raises `DispatchRefusedError` (`not_under_way`).
    """
    dispatch, incident = locked(session, dispatch_id, responder_id)
    if dispatch.state not in UNDER_WAY:
        raise DispatchRefusedError("not_under_way")
    if dispatch.help_at is not None:
        return dispatch
    dispatch.help_at = at
    dispatch.alone_asked_at = None
    session.flush()
    announce(session, dispatch, at)
    actor = Actor(responder_id, "responder")
    record(session, incident, State(incident.state), actor, at, reason="needs_help")
    # The version makes a second call, after all was well again, one of its own.
    key = f"help:{dispatch.id}:{incident.version}"
    others = [
        row.responder
        for row in dispatches_of(session, incident.id)
        if row.state in UNDER_WAY and row.id != dispatch.id
    ]
    told = {*operators(session, incident.compound, at), *others} - {responder_id}
    tell_people(
        session,
        incident,
        sorted(told),
        Purpose.HELP,
        key,
        at,
        severity=1,
        dispatch=dispatch.id,
        more={"why": "asked"},
    )
    near = [
        one.id
        for one in ranking(session, incident, at)
        if one.excluded is None and one.id not in {*told, responder_id}
    ]
    again = (DispatchState.TAKEN,)
    offer_by_system(session, incident, near[:_NEAREST], at, purpose=Purpose.HELP, also=again)
    return dispatch


def all_right(session: Session, dispatch_id: str, responder_id: str, at: dt.datetime) -> Dispatch:
    """They are well, or well again: asked anew after the usual time. Raises `DispatchRefusedError`."""
    dispatch, incident = locked(session, dispatch_id, responder_id)
    if dispatch.state not in UNDER_WAY:
        raise DispatchRefusedError("not_under_way")
    needed = dispatch.help_at is not None
    dispatch.help_at = dispatch.alone_asked_at = None
    if dispatch.state in {DispatchState.EN_ROUTE, DispatchState.ARRIVED}:
        dispatch.alone_due_at = lonework.first(incident.severity, at)
    session.flush()
    answered(session, at, dispatch=dispatch.id, responder=responder_id, purposes=(Purpose.LONE_WORKER,))
    withdraw(session, at, dispatch=dispatch.id, purposes=(Purpose.HELP,))
    if needed:
        actor = Actor(responder_id, "responder")
        record(session, incident, State(incident.state), actor, at, reason="help_over")
    announce(session, dispatch, at)
    return dispatch

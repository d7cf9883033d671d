"""What responders answer. The first who accepts leads; others go along, or see at once that it is taken.

The incident's row is the lock under which its dispatches change, and `lead_of` is unique besides: two who
accept together make one lead. Whatever is said twice changes nothing the second time.
"""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.dispatch import lonework
from alerts.dispatch.answering import DispatchNotFoundError, heard, locked, mark_seen
from alerts.dispatch.leading import lead, leaderless, taken
from alerts.dispatch.models import UNDER_WAY, Arrival, Decline, Dispatch, DispatchState, Result
from alerts.dispatch.next import ask_companion, ask_next
from alerts.dispatch.ranking import Candidate, exclusion
from alerts.dispatch.sending import (
    DispatchRefusedError,
    call_off,
    choose,
    dispatches_of,
    release,
    send,
)
from alerts.dispatch.suggest import candidates, matter_of
from alerts.dispatch.telling import announce
from alerts.incidents.actor import Actor
from alerts.incidents.deadlines import LIMITS, Timer
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.incidents.record import record

__all__ = [
    "DispatchNotFoundError",
    "DispatchRefusedError",
    "accept",
    "arrive",
    "assist",
    "choose",
    "decline",
    "depart",
    "hand_over",
    "locked",
    "mark_seen",
    "release",
    "resolve",
    "send",
]

_COMING = frozenset({DispatchState.ACCEPTED, DispatchState.ASSISTING, DispatchState.EN_ROUTE})


def accept(session: Session, dispatch_id: str, responder_id: str, at: dt.datetime) -> Dispatch:
    """Takes an offer: ACCEPTED leads, TAKEN came second, ASSISTING was asked to go along.

    Whose duty ended between the asking and the answer is thanked and not sent: DECLINED for OFF_DUTY, and
    the next one is asked. Who may not go any more, because it turned out to be violence, is CANCELLED.
    """
    dispatch, incident = locked(session, dispatch_id, responder_id)
    if dispatch.state in {*UNDER_WAY, DispatchState.TAKEN}:
        return dispatch
    if dispatch.state != DispatchState.OFFERED:
        raise DispatchRefusedError("not_offered")
    if not State(incident.state).is_open:
        raise DispatchRefusedError("already_ended")
    if _may_not(session, dispatch, incident, at):
        return dispatch
    others = [row for row in dispatches_of(session, incident.id) if row.id != dispatch.id]
    led = any(row.lead_of for row in others)
    dispatch.answered_at = at
    dispatch.overdue = 0
    dispatch.due_at = _arrival_due(incident, at)
    dispatch.state = DispatchState.ASSISTING if led else DispatchState.ACCEPTED
    if not led:
        dispatch.lead_of = incident.id
    session.flush()
    heard(session, dispatch, at)
    announce(session, dispatch, at)
    if led:
        return dispatch
    taken(session, incident, others, at)
    if State(incident.state) is State.DISPATCHED:
        record(session, incident, State.ACCEPTED, Actor(responder_id, "responder"), at)
    ask_companion(session, incident, at)
    return dispatch


def assist(session: Session, dispatch_id: str, responder_id: str, at: dt.datetime) -> Dispatch:
    """Goes along, although somebody else leads. Saying so twice changes nothing."""
    dispatch, incident = locked(session, dispatch_id, responder_id)
    if dispatch.state in UNDER_WAY:
        return dispatch
    if dispatch.state != DispatchState.TAKEN:
        raise DispatchRefusedError("not_offered")
    if _may_not(session, dispatch, incident, at):
        return dispatch
    dispatch.state = DispatchState.ASSISTING
    dispatch.answered_at = at
    dispatch.overdue = 0
    dispatch.due_at = _arrival_due(incident, at)
    session.flush()
    heard(session, dispatch, at)
    announce(session, dispatch, at)
    return dispatch


def decline(
    session: Session,
    dispatch_id: str,
    responder_id: str,
    at: dt.datetime,
    reason: Decline | None = None,
) -> Dispatch:
    """Refuses an offer, or gives back what was taken on; somebody who goes along leads then, else the
    next one is asked.
    """
    dispatch, incident = locked(session, dispatch_id, responder_id)
    if dispatch.state == DispatchState.DECLINED:
        return dispatch
    if dispatch.state not in {DispatchState.OFFERED, DispatchState.TAKEN, *_COMING}:
        raise DispatchRefusedError("not_offered")
    led = dispatch.lead_of is not None
    _declined(session, dispatch, at, reason)
    if led:
        leaderless(session, incident, Actor(responder_id, "responder"), at)
    _ask_for(session, incident, at)
    return dispatch


def depart(session: Session, dispatch_id: str, responder_id: str, at: dt.datetime) -> Dispatch:
    """Is on the way. Saying so twice changes nothing."""
    dispatch, incident = locked(session, dispatch_id, responder_id)
    if dispatch.state == DispatchState.EN_ROUTE:
        return dispatch
    if dispatch.state not in {DispatchState.ACCEPTED, DispatchState.ASSISTING}:
        raise DispatchRefusedError("not_leading")
    dispatch.state = DispatchState.EN_ROUTE
    dispatch.set_out_at = at
    dispatch.alone_due_at = lonework.first(incident.severity, at)
    session.flush()
    heard(session, dispatch, at)
    announce(session, dispatch, at)
    if dispatch.lead_of is not None and State(incident.state) is State.ACCEPTED:
        record(session, incident, State.EN_ROUTE, Actor(responder_id, "responder"), at)
    return dispatch


def arrive(
    session: Session,
    dispatch_id: str,
    responder_id: str,
    at: dt.datetime,
    by: Arrival = Arrival.SAID,
) -> Dispatch:
    """Is there; `by` is what stands behind it. The first who is there ends the waiting for somebody."""
    dispatch, incident = locked(session, dispatch_id, responder_id)
    if dispatch.state == DispatchState.ARRIVED:
        return dispatch
    if dispatch.state not in _COMING:
        raise DispatchRefusedError("not_leading")
    dispatch.state = DispatchState.ARRIVED
    dispatch.arrived_at = at
    dispatch.arrived_by = by
    dispatch.due_at = None
    dispatch.alone_due_at = lonework.first(incident.severity, at)
    session.flush()
    heard(session, dispatch, at)
    announce(session, dispatch, at)
    if State(incident.state) in {State.ACCEPTED, State.EN_ROUTE}:
        record(session, incident, State.ARRIVED, Actor(responder_id, "responder"), at, reason=f"arrived_{by}")
    return dispatch


def resolve(
    session: Session,
    dispatch_id: str,
    responder_id: str,
    at: dt.datetime,
    note: str | None = None,
    result: Result | None = None,
) -> Dispatch:
    """The leader has dealt with it; `result` and `note` say what came of it.

    Who is there with them is done, too, and knows; who is still on the way is called off.
    """
    dispatch, incident = locked(session, dispatch_id, responder_id)
    if dispatch.state == DispatchState.RESOLVED:
        return dispatch
    if dispatch.state not in UNDER_WAY or dispatch.lead_of is None:
        raise DispatchRefusedError("not_leading")
    dispatch.note = note
    dispatch.result = result
    _done(session, dispatch, at)
    if State(incident.state) in {State.ACCEPTED, State.EN_ROUTE, State.ARRIVED}:
        incident.resolution = note
        reason = None if result is None else f"result_{result}"
        actor = Actor(responder_id, "responder")
        record(session, incident, State.RESOLVED, actor, at, reason=reason, note=note)
        for other in dispatches_of(session, incident.id):
            if other.state == DispatchState.ARRIVED:
                _done(session, other, at)
        release(session, incident, at)
    return dispatch


def hand_over(session: Session, dispatch_id: str, responder_id: str, to: str, at: dt.datetime) -> Dispatch:
    """The leader gives the lead to somebody who goes, too, and goes along from then on.

    Raises `DispatchRefusedError` (`not_leading`, `nobody_to_lead`).
    """
    dispatch, incident = locked(session, dispatch_id, responder_id)
    if dispatch.lead_of is None or dispatch.state not in UNDER_WAY:
        raise DispatchRefusedError("not_leading")
    other = next(
        (
            row
            for row in dispatches_of(session, incident.id)
            if row.responder == to and row.id != dispatch.id and row.state in UNDER_WAY
        ),
        None,
    )
    if other is None:
        raise DispatchRefusedError("nobody_to_lead")
    dispatch.lead_of = None
    if dispatch.state == DispatchState.ACCEPTED:
        dispatch.state = DispatchState.ASSISTING
    session.flush()
    announce(session, dispatch, at)
    lead(session, incident, other, Actor(responder_id, "responder"), at, "lead_handed_over")
    return dispatch


def _may_not(session: Session, dispatch: Dispatch, incident: Incident, at: dt.datetime) -> bool:
    """Ends the dispatch of somebody who may not go any more; whether it was so.

    Raises `DispatchRefusedError` (`busy_graver`) for who has taken on something graver meanwhile.
    """
    code = exclusion(matter_of(incident), _candidate(session, dispatch, incident, at))
    if code == "busy_graver":
        raise DispatchRefusedError(code)
    if code == "volunteer_violence":
        call_off(session, incident, dispatch, at, "violence")
    elif code == "off_duty" and dispatch.duty_until is not None:
        # Kindly: they were on duty when they were asked, and are not any more.
        _declined(session, dispatch, at, Decline.OFF_DUTY)
    else:
        return False
    _ask_for(session, incident, at)
    return True


def _candidate(session: Session, dispatch: Dispatch, incident: Incident, at: dt.datetime) -> Candidate:
    everybody = candidates(session, incident, at, (dispatch.responder,))
    return next(one for one in everybody if one.id == dispatch.responder)


def _declined(session: Session, dispatch: Dispatch, at: dt.datetime, reason: Decline | None) -> None:
    dispatch.state = DispatchState.DECLINED
    dispatch.answered_at = at
    dispatch.declined_for = reason
    dispatch.lead_of = None
    dispatch.due_at = dispatch.help_at = dispatch.alone_due_at = None
    session.flush()
    heard(session, dispatch, at)
    announce(session, dispatch, at)


def _done(session: Session, dispatch: Dispatch, at: dt.datetime) -> None:
    dispatch.state = DispatchState.RESOLVED
    dispatch.resolved_at = at
    dispatch.due_at = dispatch.help_at = dispatch.alone_due_at = dispatch.alone_asked_at = None
    session.flush()
    heard(session, dispatch, at)
    announce(session, dispatch, at)


def _ask_for(session: Session, incident: Incident, at: dt.datetime) -> None:
    """Asks somebody else where nobody is asked or goes any more, or where a volunteer goes alone."""
    waiting = {*UNDER_WAY, DispatchState.OFFERED}
    there = session.scalar(
        select(Dispatch.id).where(Dispatch.incident == incident.id, Dispatch.state.in_(waiting)).limit(1)
    )
    if there is None:
        ask_next(session, incident, at)
    else:
        ask_companion(session, incident, at)


def _arrival_due(incident: Incident, at: dt.datetime) -> dt.datetime | None:
    limit = LIMITS[Timer.ARRIVE].get(incident.severity)
    return None if limit is None else at + limit

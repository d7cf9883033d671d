"""Sending responders and taking their answers. The first who accepts leads."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alerts.dispatch.models import Dispatch, DispatchState
from alerts.duty.models import Responder, Team
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import State, StepRefusedError
from alerts.incidents.models import Incident
from alerts.incidents.record import StaleVersionError, load, record
from bus import subjects
from bus.messages import DispatchChanged, encode
from storage import audit, new_id
from storage.events import enqueue

_SENDABLE = frozenset({State.CONFIRMED, State.REOPENED, State.DISPATCHED, State.ACCEPTED, State.EN_ROUTE})

# Who may be asked once more: who had said no, was called off, or was there before it was reopened.
_AGAIN = frozenset({DispatchState.DECLINED, DispatchState.CANCELLED, DispatchState.RESOLVED})


class DispatchNotFoundError(LookupError):
    """There is no such dispatch, or it is not this responder's."""

    def __init__(self, dispatch_id: str) -> None:
        super().__init__(f"no dispatch {dispatch_id}")
        self.dispatch_id = dispatch_id


class DispatchRefusedError(Exception):
    """The dispatch does not allow that now; `code` says why.

    Codes: `nobody_named`, `unknown_responder`, `not_offered`, `not_leading`, `already_ended`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def send(
    session: Session,
    incident_id: str,
    responder_ids: Sequence[str],
    actor: Actor,
    at: dt.datetime,
    *,
    expected_version: int | None = None,
) -> list[Dispatch]:
    """Asks responders to go. Asking somebody again who already has it changes nothing.

    Raises `StepRefusedError` when the incident is not confirmed, `StaleVersionError`,
    `DispatchRefusedError`.
    """
    incident = load(session, incident_id)
    if expected_version is not None and incident.version != expected_version:
        raise StaleVersionError(incident.id, incident.version)
    state = State(incident.state)
    if state not in _SENDABLE:
        raise StepRefusedError(state, State.DISPATCHED, "not_from_here")
    wanted = list(dict.fromkeys(responder_ids))
    if not wanted:
        raise DispatchRefusedError("nobody_named")
    known = set(
        session.scalars(
            select(Responder.id)
            .join(Team, Team.id == Responder.team)
            .where(Responder.id.in_(wanted), Team.compound == incident.compound)
        )
    )
    if known != set(wanted):
        raise DispatchRefusedError("unknown_responder")
    asked = {
        row.responder: row
        for row in session.scalars(select(Dispatch).where(Dispatch.incident == incident.id))
    }
    sent: list[Dispatch] = []
    for responder_id in wanted:
        row = asked.get(responder_id)
        if row is not None and row.state not in _AGAIN:
            continue
        if row is None:
            row = Dispatch(
                id=new_id(), incident=incident.id, compound=incident.compound, responder=responder_id
            )
            session.add(row)
        row.state = DispatchState.OFFERED
        row.offered_at = at
        row.answered_at = row.arrived_at = row.resolved_at = None
        session.flush()
        _announce(session, row, at)
        sent.append(row)
    if state in {State.CONFIRMED, State.REOPENED}:
        record(session, incident, State.DISPATCHED, actor, at)
    audit.append(
        session,
        at,
        audit.AuditEntry(
            actor.id, actor.role, "incident.dispatch", "incident_handling", incident.id, ",".join(wanted)
        ),
    )
    return sent


def accept(session: Session, dispatch_id: str, responder_id: str, at: dt.datetime) -> Dispatch:
    """Takes an offer: ACCEPTED leads, TAKEN came second. Accepting twice changes nothing."""
    dispatch, incident = _load(session, dispatch_id, responder_id)
    if dispatch.state in {DispatchState.ACCEPTED, DispatchState.TAKEN, DispatchState.ARRIVED}:
        return dispatch
    if dispatch.state != DispatchState.OFFERED:
        raise DispatchRefusedError("not_offered")
    if not State(incident.state).is_open:
        raise DispatchRefusedError("already_ended")
    others = session.scalars(
        select(Dispatch).where(Dispatch.incident == incident.id, Dispatch.id != dispatch.id)
    )
    siblings = list(others)
    dispatch.answered_at = at
    if any(other.lead_of for other in siblings):
        dispatch.state = DispatchState.TAKEN
        session.flush()
        _announce(session, dispatch, at)
        return dispatch
    dispatch.state = DispatchState.ACCEPTED
    dispatch.lead_of = incident.id
    session.flush()
    _announce(session, dispatch, at)
    for other in siblings:
        # Everybody else sees at once that it is taken, without having pressed anything.
        if other.state == DispatchState.OFFERED:
            other.state = DispatchState.TAKEN
            _announce(session, other, at)
    if State(incident.state) is State.DISPATCHED:
        record(session, incident, State.ACCEPTED, Actor(responder_id, "responder"), at)
    return dispatch


def decline(session: Session, dispatch_id: str, responder_id: str, at: dt.datetime) -> Dispatch:
    """Refuses an offer; a leader who declines gives the incident back to the operator."""
    dispatch, incident = _load(session, dispatch_id, responder_id)
    if dispatch.state == DispatchState.DECLINED:
        return dispatch
    if dispatch.state not in {DispatchState.OFFERED, DispatchState.ACCEPTED, DispatchState.TAKEN}:
        raise DispatchRefusedError("not_offered")
    led = dispatch.lead_of is not None
    dispatch.state = DispatchState.DECLINED
    dispatch.answered_at = at
    dispatch.lead_of = None
    session.flush()
    _announce(session, dispatch, at)
    if led:
        # The others may take it now.
        for other in session.scalars(
            select(Dispatch).where(Dispatch.incident == incident.id, Dispatch.state == DispatchState.TAKEN)
        ):
            other.state = DispatchState.OFFERED
            other.answered_at = None
            _announce(session, other, at)
        if State(incident.state) in {State.ACCEPTED, State.EN_ROUTE}:
            record(
                session, incident, State.DISPATCHED, Actor(responder_id, "responder"), at, reason="declined"
            )
    return dispatch


def depart(session: Session, dispatch_id: str, responder_id: str, at: dt.datetime) -> Dispatch:
    """The leader is on the way. Saying so twice changes nothing."""
    dispatch, incident = _load(session, dispatch_id, responder_id)
    if dispatch.state != DispatchState.ACCEPTED:
        raise DispatchRefusedError("not_leading")
    if State(incident.state) is State.ACCEPTED:
        record(session, incident, State.EN_ROUTE, Actor(responder_id, "responder"), at)
        _announce(session, dispatch, at)
    return dispatch


def arrive(session: Session, dispatch_id: str, responder_id: str, at: dt.datetime) -> Dispatch:
    """The leader is there."""
    dispatch, incident = _load(session, dispatch_id, responder_id)
    if dispatch.state == DispatchState.ARRIVED:
        return dispatch
    if dispatch.state != DispatchState.ACCEPTED:
        raise DispatchRefusedError("not_leading")
    dispatch.state = DispatchState.ARRIVED
    dispatch.arrived_at = at
    session.flush()
    _announce(session, dispatch, at)
    if State(incident.state) in {State.ACCEPTED, State.EN_ROUTE}:
        record(session, incident, State.ARRIVED, Actor(responder_id, "responder"), at)
    return dispatch


def resolve(
    session: Session, dispatch_id: str, responder_id: str, at: dt.datetime, note: str | None = None
) -> Dispatch:
    """The leader has dealt with it; `note` says what came of it."""
    dispatch, incident = _load(session, dispatch_id, responder_id)
    if dispatch.state == DispatchState.RESOLVED:
        return dispatch
    if dispatch.state not in {DispatchState.ACCEPTED, DispatchState.ARRIVED}:
        raise DispatchRefusedError("not_leading")
    dispatch.state = DispatchState.RESOLVED
    dispatch.resolved_at = at
    dispatch.note = note
    session.flush()
    _announce(session, dispatch, at)
    if State(incident.state) in {State.ACCEPTED, State.EN_ROUTE, State.ARRIVED}:
        incident.resolution = note
        record(session, incident, State.RESOLVED, Actor(responder_id, "responder"), at, note=note)
        release(session, incident, at)
    return dispatch


def release(session: Session, incident: Incident, at: dt.datetime) -> None:
    """Calls off everybody who is still asked or under way, once an incident has ended."""
    open_states = [state for state in DispatchState if state.is_open or state is DispatchState.TAKEN]
    for row in session.scalars(
        select(Dispatch).where(Dispatch.incident == incident.id, Dispatch.state.in_(open_states))
    ):
        row.state = DispatchState.CANCELLED
        row.lead_of = None
        _announce(session, row, at)


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


def _load(session: Session, dispatch_id: str, responder_id: str) -> tuple[Dispatch, Incident]:
    dispatch = session.get(Dispatch, dispatch_id)
    if dispatch is None or dispatch.responder != responder_id:
        raise DispatchNotFoundError(dispatch_id)
    # The incident's row is the lock under which its dispatches change.
    incident = load(session, dispatch.incident)
    session.refresh(dispatch)
    return dispatch, incident


def _announce(session: Session, dispatch: Dispatch, at: dt.datetime) -> None:
    message = DispatchChanged(
        id=dispatch.id,
        incident_id=dispatch.incident,
        compound=dispatch.compound,
        responder_id=dispatch.responder,
        state=dispatch.state,
        at=at,
    )
    enqueue(
        session,
        [(f"dispatch:{dispatch.id}:{new_id()}", subjects.dispatch(dispatch.compound), encode(message))],
    )

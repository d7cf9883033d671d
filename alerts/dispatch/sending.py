"""Asking responders to go, and calling them off."""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.dispatch.models import UNDER_WAY, Dispatch, DispatchState
from alerts.dispatch.ranking import alone, exclusion, following
from alerts.dispatch.suggest import candidates, matter_of, ranking
from alerts.dispatch.telling import announce, tell
from alerts.duty.models import Responder, Team, TeamKind
from alerts.duty.onduty import on_duty
from alerts.incidents.actor import SYSTEM, Actor
from alerts.incidents.deadlines import LIMITS, Timer
from alerts.incidents.lifecycle import State, StepRefusedError
from alerts.incidents.models import Incident
from alerts.incidents.record import StaleVersionError, load, record
from alerts.notify import asking
from alerts.notify.asking import withdraw
from alerts.notify.models import Purpose
from storage import audit, new_id

_SENDABLE: Final = frozenset(
    {State.CONFIRMED, State.REOPENED, State.DISPATCHED, State.ACCEPTED, State.EN_ROUTE}
)

# Who may be asked once more: who had said no, was called off, or was there before it was reopened.
_AGAIN: Final = frozenset({DispatchState.DECLINED, DispatchState.CANCELLED, DispatchState.RESOLVED})

# What keeps staff from being suggested, and not from being sent by an operator's word.
_BY_HAND: Final = frozenset({"off_duty", "silent", "not_for_care"})

# Letters of a dispatch that say nothing any more once it is over.
_OVER: Final = (Purpose.OFFER, Purpose.HELP, Purpose.LONE_WORKER, Purpose.TAKEN)


class DispatchRefusedError(Exception):
    """The dispatch does not allow that now; `code` says why.

    Codes: `nobody_named`, `unknown_responder`, `not_offered`, `not_leading`, `not_under_way`,
    `already_ended`, `nobody_to_lead`; of whom to send: `volunteer_violence`, `volunteer_alone`,
    `other_task`, `off_duty`, `busy_graver`, `not_for_care`.
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
    sent = offer(session, incident, wanted, at)
    if state in {State.CONFIRMED, State.REOPENED}:
        record(session, incident, State.DISPATCHED, actor, at)
    _note(session, incident, wanted, actor, at)
    return sent


def choose(
    session: Session,
    incident_id: str,
    responder_ids: Sequence[str],
    actor: Actor,
    at: dt.datetime,
    *,
    expected_version: int | None = None,
) -> list[Dispatch]:
    """Asks whom an operator chose, where they may be sent. Staff may be called in who are off duty.

    Where that would be one volunteer by themselves, the next best goes with them. Raises what `send`
    raises; `DispatchRefusedError` for who may not go, and `volunteer_alone` where nobody can go along.
    """
    incident = load(session, incident_id)
    wanted = list(dict.fromkeys(responder_ids))
    matter = matter_of(incident)
    chosen = [one for one in candidates(session, incident, at, wanted) if one.id in wanted]
    for one in chosen:
        code = exclusion(matter, one)
        # An operator decides for staff: whom they have on the telephone comes although off duty.
        if code is not None and code != "other_area" and (one.kind.volunteers or code not in _BY_HAND):
            raise DispatchRefusedError(code)
    going = going_of(session, incident)
    kinds = {one.id: one.kind.volunteers for one in chosen} | going
    if chosen and alone(list(kinds.values())):
        second = following(ranking(session, incident, at), kinds)
        if second is None:
            raise DispatchRefusedError("volunteer_alone")
        wanted.append(second.id)
    return send(session, incident_id, wanted, actor, at, expected_version=expected_version)


def offer(
    session: Session,
    incident: Incident,
    responder_ids: Collection[str],
    at: dt.datetime,
    *,
    purpose: Purpose = Purpose.OFFER,
    also: Collection[DispatchState] = (),
) -> list[Dispatch]:
    """Offers an incident, whatever its state. The caller has locked it.

    `also` are states besides a no and an end from which somebody is asked once more.
    """
    duties = {one.id: one.until for one in on_duty(session, incident.compound, at)}
    limit = LIMITS[Timer.ACCEPT].get(incident.severity)
    rows = {row.responder: row for row in dispatches_of(session, incident.id)}
    sent: list[Dispatch] = []
    for responder_id in responder_ids:
        row = rows.get(responder_id)
        if row is not None and row.state not in {*_AGAIN, *also}:
            continue
        if row is None:
            row = Dispatch(
                id=new_id(),
                incident=incident.id,
                compound=incident.compound,
                responder=responder_id,
                offers=0,
            )
            session.add(row)
        row.state = DispatchState.OFFERED
        row.offers += 1
        row.offered_at = at
        row.duty_until = duties.get(responder_id)
        row.due_at = None if limit is None else at + limit
        row.overdue = 0
        row.lead_of = None
        row.answered_at = row.set_out_at = row.arrived_at = row.resolved_at = row.seen_at = None
        row.arrived_by = row.declined_for = row.result = None
        row.help_at = row.alone_due_at = row.alone_asked_at = None
        session.flush()
        announce(session, row, at)
        # The offer says all that the notice would have said, and one of the two is enough for a phone.
        withdraw(session, at, incident=incident.id, responder=responder_id, purposes=[Purpose.INCIDENT])
        tell(session, incident, row, purpose, at)
        sent.append(row)
    return sent


def offer_by_system(
    session: Session,
    incident: Incident,
    responder_ids: Sequence[str],
    at: dt.datetime,
    *,
    purpose: Purpose = Purpose.OFFER,
    also: Collection[DispatchState] = (),
) -> list[Dispatch]:
    """Offers without a person's word: the next one, a second one, whoever is nearest to one in need."""
    sent = offer(session, incident, responder_ids, at, purpose=purpose, also=also)
    if sent:
        _note(session, incident, [row.responder for row in sent], SYSTEM, at)
    return sent


def release(session: Session, incident: Incident, at: dt.datetime) -> None:
    """Calls off everybody who is still asked or under way, once an incident has ended."""
    for row in dispatches_of(session, incident.id):
        if DispatchState(row.state).is_open or row.state == DispatchState.TAKEN:
            call_off(session, incident, row, at)


def call_off(
    session: Session, incident: Incident, row: Dispatch, at: dt.datetime, why: str | None = None
) -> None:
    """Calls one responder off; who had only seen that it is taken hears nothing more of it."""
    heard = row.state != DispatchState.TAKEN
    row.state = DispatchState.CANCELLED
    row.lead_of = None
    row.due_at = row.help_at = row.alone_due_at = row.alone_asked_at = None
    session.flush()
    announce(session, row, at)
    asking.withdraw(session, at, dispatch=row.id, purposes=_OVER)
    if heard:
        tell(session, incident, row, Purpose.CALLED_OFF, at, more=None if why is None else {"why": why})


def dispatches_of(session: Session, incident_id: str) -> Sequence[Dispatch]:
    """Everybody who was asked for an incident, who was asked first first."""
    query = select(Dispatch).where(Dispatch.incident == incident_id)
    return session.scalars(query.order_by(Dispatch.offered_at, Dispatch.id)).all()


def going_of(session: Session, incident: Incident, *, asked: bool = True) -> dict[str, bool]:
    """Who goes (and, with `asked`, who may still say yes): of each, whether they are a volunteer."""
    states = {*UNDER_WAY, DispatchState.OFFERED} if asked else UNDER_WAY
    return {
        row.responder: volunteer
        for row, volunteer in with_volunteers(session, incident)
        if row.state in states
    }


def with_volunteers(session: Session, incident: Incident) -> list[tuple[Dispatch, bool]]:
    """Everybody who was asked for an incident, and whether they are a volunteer."""
    rows = session.execute(
        select(Dispatch, Team.kind)
        .join(Responder, Responder.id == Dispatch.responder)
        .join(Team, Team.id == Responder.team)
        .where(Dispatch.incident == incident.id)
        .order_by(Dispatch.offered_at, Dispatch.id)
    )
    return [(row, TeamKind(kind).volunteers) for row, kind in rows]


def _note(
    session: Session, incident: Incident, responders: Sequence[str], actor: Actor, at: dt.datetime
) -> None:
    entry = audit.AuditEntry(
        actor.id, actor.role, "incident.dispatch", "incident_handling", incident.id, ",".join(responders)
    )
    audit.append(session, at, entry)

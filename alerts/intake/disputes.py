"""Quarrels between neighbours (矛盾纠纷): a mediator first, the police only where there is violence.

What the parties are and what they agreed on is sealed, and for the mediator who has taken it alone.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder, Team, TeamKind
from alerts.duty.onduty import on_duty
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import UNDECIDED, State
from alerts.incidents.models import Incident
from alerts.incidents.record import load, record
from alerts.intake.models import Dispute, DisputeState
from alerts.notify.asking import Ask, ask
from alerts.notify.models import Purpose
from registry.days import time_zone
from registry.errors import MissingError, RefusedError, StaleEditError
from storage import audit, new_id

SAME_DAY: Final = dt.timedelta(hours=12)
"""How long a call to mediators is worth something."""

MORNING: Final = dt.time(9)
"""By the compound's clock: when a mediator is reminded of a day that they have set themselves."""

PAGE: Final = "/console/disputes"
TEXT_MAX: Final = 4000
# A reminder that could not be given in this time is none any more.
_LATE: Final = dt.timedelta(days=1)
_AT_ONCE: Final = 200

STEPS: Final[Mapping[DisputeState, frozenset[DisputeState]]] = {
    DisputeState.OPEN: frozenset({DisputeState.ACCEPTED, DisputeState.PASSED_ON}),
    DisputeState.ACCEPTED: frozenset(
        {DisputeState.MEETING, DisputeState.SETTLED, DisputeState.FAILED, DisputeState.PASSED_ON}
    ),
    # They may meet again, on another day.
    DisputeState.MEETING: frozenset(
        {DisputeState.MEETING, DisputeState.SETTLED, DisputeState.FAILED, DisputeState.PASSED_ON}
    ),
    DisputeState.SETTLED: frozenset({DisputeState.MEETING}),
    DisputeState.FAILED: frozenset({DisputeState.PASSED_ON}),
    DisputeState.PASSED_ON: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Move:
    """A step that a mediator takes, and what is written down with it."""

    to: DisputeState
    meeting_at: dt.datetime | None = None
    parties: str | None = None
    agreement: str | None = None
    follow_up_on: dt.date | None = None


def open_for(session: Session, incident: Incident, at: dt.datetime) -> Dispute:
    """The dispute of an incident, begun where there is none; `mediators` are told."""
    known = session.scalars(select(Dispute).where(Dispute.incident == incident.id)).one_or_none()
    if known is not None:
        return known
    made = Dispute(
        id=new_id(),
        compound=incident.compound,
        incident=incident.id,
        zone=incident.zone,
        state=DisputeState.OPEN,
        version=1,
        opened_at=at,
    )
    session.add(made)
    session.flush()
    ask(
        session,
        [
            Ask(
                compound=incident.compound,
                key=f"dispute:{made.id}:{responder}",
                purpose=Purpose.INCIDENT,
                severity=3,
                responder=responder,
                drill=incident.drill,
                arguments={"kind": incident.kind, "zone": incident.zone, "dispute": made.id, "path": PAGE},
                expires_at=at + SAME_DAY,
            )
            for responder in mediators(session, incident.compound, at)
        ],
        at,
    )
    return made


def remind(session: Session, now: dt.datetime) -> int:
    """Whoever settled it, or has it, is reminded once in the morning of the day on which they wanted to ask
    whether it holds; returns how many were.
    """
    days = (now - _LATE - dt.timedelta(days=1)).date(), (now + dt.timedelta(days=1)).date()
    rows = session.execute(
        select(Dispute, Incident.kind, Incident.drill)
        .join(Incident, Incident.id == Dispute.incident)
        .where(
            Dispute.follow_up_on.between(*days),
            Dispute.mediator.is_not(None),
            Dispute.state != DisputeState.PASSED_ON,
        )
        .order_by(Dispute.follow_up_on, Dispute.id)
        .limit(_AT_ONCE)
    ).all()
    asks = []
    for dispute, kind, drill in rows:
        day = dispute.follow_up_on
        if day is None:
            continue
        due = dt.datetime.combine(day, MORNING, time_zone(session, dispute.compound))
        if not due <= now < due + _LATE:
            continue
        asks.append(
            Ask(
                compound=dispute.compound,
                key=f"dispute_follow_up:{dispute.id}:{day}",
                purpose=Purpose.INCIDENT,
                severity=4,
                responder=dispute.mediator,
                drill=drill,
                arguments={
                    "kind": kind,
                    "zone": dispute.zone,
                    "dispute": dispute.id,
                    "why": "dispute_follow_up",
                    "path": PAGE,
                },
                expires_at=due + _LATE,
            )
        )
    return len(ask(session, asks, now))


def mediators(session: Session, compound: str, at: dt.datetime) -> list[str]:
    """Whom nobody else tells: where no mediator is on duty, all of the team but who leads it.

    Those on duty hear of the incident by the routes, and where none is, the routes tell the lead.
    """
    if on_duty(session, compound, at, kinds=[TeamKind.MEDIATION]):
        return []
    rows = session.scalars(
        select(Responder.id)
        .join(Team, Team.id == Responder.team)
        .where(
            Team.compound == compound,
            Team.kind == TeamKind.MEDIATION,
            Responder.active,
            Responder.leads.is_(False),
        )
        .order_by(Responder.id)
    )
    return list(rows)


def is_mediator(session: Session, compound: str, responder: str | None) -> bool:
    """Whether somebody belongs to a compound's mediation team."""
    row = None if responder is None else session.get(Responder, responder)
    team = None if row is None or not row.active else session.get(Team, row.team)
    return team is not None and team.compound == compound and team.kind == TeamKind.MEDIATION


def move(
    session: Session,
    compound: str,
    dispute_id: str,
    asked: Move,
    responder: str,
    at: dt.datetime,
    *,
    expected_version: int | None = None,
) -> Dispute:
    """A mediator takes a step. Taking one that one has already changes nothing.

    Raises `MissingError`, `StaleEditError`, and `RefusedError`: `dispute_taken` (another mediator has it),
    `dispute_step` (not from here), `meeting_missing`, `agreement_missing`, `dispute_text`.
    """
    dispute = _load(session, compound, dispute_id)
    if not is_mediator(session, compound, responder):
        raise MissingError("dispute")
    if dispute.mediator not in {None, responder}:
        raise RefusedError("dispute_taken")
    state = DisputeState(dispute.state)
    if asked.to is DisputeState.ACCEPTED and state is DisputeState.ACCEPTED:
        return dispute
    if expected_version is not None and expected_version != dispute.version:
        raise StaleEditError(dispute.version)
    if asked.to not in STEPS[state]:
        raise RefusedError("dispute_step")
    _write(dispute, asked, responder, at)
    session.flush()
    _carry_over(session, dispute, responder, at)
    audit.append(
        session,
        at,
        audit.AuditEntry(
            responder, "responder", f"dispute.{asked.to}", "incident_handling", dispute.id, asked.to
        ),
    )
    return dispute


def pass_on(session: Session, incident: Incident, at: dt.datetime) -> None:
    """It has come to violence: no mediator goes there any more."""
    row = session.scalars(select(Dispute).where(Dispute.incident == incident.id)).one_or_none()
    if row is None or not DisputeState(row.state).is_open:
        return
    row.state, row.ended_at, row.version = DisputeState.PASSED_ON, at, row.version + 1
    session.flush()


def _write(dispute: Dispute, asked: Move, responder: str, at: dt.datetime) -> None:
    texts = [text for text in (asked.parties, asked.agreement) if text]
    if any(len(text) > TEXT_MAX for text in texts):
        raise RefusedError("dispute_text", most=TEXT_MAX)
    if asked.to is DisputeState.MEETING and asked.meeting_at is None:
        raise RefusedError("meeting_missing")
    if asked.to is DisputeState.SETTLED and not asked.agreement:
        raise RefusedError("agreement_missing")
    dispute.state = asked.to
    dispute.version += 1
    dispute.mediator = responder
    if asked.to is DisputeState.ACCEPTED:
        dispute.accepted_at = at
    dispute.meeting_at = asked.meeting_at or dispute.meeting_at
    dispute.parties = asked.parties or dispute.parties
    dispute.agreement = asked.agreement or dispute.agreement
    dispute.follow_up_on = asked.follow_up_on or dispute.follow_up_on
    dispute.ended_at = None if asked.to.is_open else at


def _carry_over(session: Session, dispute: Dispute, responder: str, at: dt.datetime) -> None:
    """What the mediator does is done about the incident: whoever reported it hears of it."""
    incident = load(session, dispute.incident)
    state, by = State(incident.state), Actor(responder, "responder")
    if dispute.state == DisputeState.ACCEPTED and state in UNDECIDED:
        record(session, incident, State.CONFIRMED, by, at, reason="mediator")
    elif dispute.state == DisputeState.SETTLED and state in {*UNDECIDED, State.CONFIRMED, State.REOPENED}:
        if state in UNDECIDED:
            record(session, incident, State.CONFIRMED, by, at, reason="mediator")
        record(session, incident, State.RESOLVED, by, at, reason="settled")


def _load(session: Session, compound: str, dispute_id: str) -> Dispute:
    found = session.scalars(
        select(Dispute)
        .where(Dispute.id == dispute_id, Dispute.compound == compound)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise MissingError("dispute")
    return found

"""Beside whom to send: who may not go, who is told next and when, whom to call, what those who go see."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.dispatch.models import Dispatch, IncidentCall, TaskPicture
from alerts.dispatch.suggest import Suggestion, everybody
from alerts.duty.models import Responder, Team
from alerts.escalation import services
from alerts.escalation.calls import calls_of
from alerts.escalation.outlook import Outlook, outlook
from alerts.incidents.lifecycle import UNDECIDED, State
from alerts.incidents.models import Incident
from console.texts import Texts


@dataclass(frozen=True, slots=True)
class Sending:
    """What stands beside the buttons of an open incident."""

    excluded: tuple[Suggestion, ...]
    next: Outlook | None
    numbers: tuple[str, ...]
    calls: tuple[IncidentCall, ...]
    picture: TaskPicture | None
    # Whether those who go may be shown a picture at all.
    may_show: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A responder who was asked."""

    name: str
    team: str
    state: str
    offered_at: dt.datetime
    seen_at: dt.datetime | None
    note: str
    help: bool
    # What stands behind an arrival, a refusal, an end.
    said: tuple[str, ...]
    # The photo of what came of it.
    photo: str | None = None


def sending(session: Session, incident: Incident, now: dt.datetime) -> Sending:
    """Everything about who goes and who hears of it, besides who is suggested and was asked."""
    state = State(incident.state)
    confirmed = state.grows and state not in UNDECIDED
    shown = session.get(TaskPicture, incident.id)
    return Sending(
        excluded=tuple(one for one in everybody(session, incident, now) if one.excluded) if confirmed else (),
        next=outlook(session, incident, now),
        numbers=services.numbers(incident.kind) if state.is_open else (),
        calls=tuple(calls_of(session, incident.id)),
        picture=shown if shown is not None and shown.expires_at > now else None,
        may_show=confirmed,
    )


def asked_of(session: Session, incident: Incident, t: Texts) -> tuple[Asked, ...]:
    rows = session.execute(
        select(Dispatch, Responder, Team)
        .join(Responder, Responder.id == Dispatch.responder)
        .join(Team, Team.id == Responder.team)
        .where(Dispatch.incident == incident.id)
        .order_by(Dispatch.offered_at, Dispatch.id)
    )
    return tuple(
        Asked(
            r.name,
            team.name,
            str(d.state),
            d.offered_at,
            d.seen_at,
            d.note or "",
            d.help_at is not None,
            _said(d, t),
            d.media_id,
        )
        for d, r, team in rows
    )


def _said(row: Dispatch, t: Texts) -> tuple[str, ...]:
    codes = (("arrived_by", row.arrived_by), ("declined_for", row.declined_for), ("result", row.result))
    return tuple(t.code(group, str(code)) for group, code in codes if code)

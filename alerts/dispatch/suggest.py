"""Whom to send: people on duty in the routed team first, free before busy, near before far."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.dispatch.models import Dispatch, DispatchState
from alerts.duty.models import Responder, Shift, Team
from alerts.incidents.models import Incident


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A responder who could go, and why; `reasons` are codes of the text catalogue."""

    responder_id: str
    name: str
    team_name: str
    team_kind: str
    reasons: tuple[str, ...]
    busy: bool


def suggest(session: Session, incident: Incident, at: dt.datetime) -> list[Suggestion]:
    """Everybody on duty at `at` in the compound, the best first."""
    rows = session.execute(
        select(Responder, Team)
        .join(Team, Team.id == Responder.team)
        .join(Shift, Shift.responder == Responder.id)
        .where(
            Team.compound == incident.compound,
            Responder.active,
            Shift.starts_at <= at,
            Shift.ends_at > at,
        )
        .distinct()
    ).all()
    busy = set(
        session.scalars(
            select(Dispatch.responder).where(
                Dispatch.state.in_([DispatchState.ACCEPTED, DispatchState.ARRIVED]),
                Dispatch.incident != incident.id,
            )
        )
    )
    ranked: list[tuple[tuple[bool, bool, bool, str], Suggestion]] = []
    for responder, team in rows:
        routed = team.id == incident.team
        here = responder.post == incident.zone
        is_busy = responder.id in busy
        reasons = ["on_duty"]
        if routed:
            reasons.append("routed_team")
        if here:
            reasons.append("posted_here")
        reasons.append("busy" if is_busy else "free")
        suggestion = Suggestion(responder.id, responder.name, team.name, team.kind, tuple(reasons), is_busy)
        ranked.append(((is_busy, not routed, not here, responder.id), suggestion))
    return [suggestion for _, suggestion in sorted(ranked, key=lambda pair: pair[0])]

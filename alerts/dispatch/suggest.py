"""Whom to send: who is on duty, where they are, what they have on their hands; `ranking` does the rest."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.dispatch.ground import Ground, Place
from alerts.dispatch.models import UNDER_WAY, Dispatch, ResponderPosition
from alerts.dispatch.ranking import SENT, Candidate, Matter, Ranked, rank
from alerts.duty.models import Responder, Team, TeamKind
from alerts.duty.onduty import on_duty
from alerts.incidents.models import Incident
from registry.models import Zone

# What a phone said longer ago is not where somebody is.
_FRESH: Final = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A responder who could go, and why; `reasons` are codes of the text catalogue.

    `excluded` is why they may not be sent, `metres` the way there where somebody can say.
    """

    responder_id: str
    name: str
    team_name: str
    team_kind: str
    reasons: tuple[str, ...]
    busy: bool
    metres: float | None = None
    excluded: str | None = None
    volunteer: bool = False


def matter_of(incident: Incident) -> Matter:
    """What somebody would be sent to."""
    return Matter(incident.kind, incident.severity, incident.zone, incident.team, bool(incident.care))


def ranking(
    session: Session, incident: Incident, at: dt.datetime, *, besides: Collection[str] = ()
) -> list[Ranked]:
    """Everybody on duty who could be sent, the best first; also `besides`, whether on duty or not."""
    return rank(matter_of(incident), candidates(session, incident, at, besides), ground(session, incident))


def suggest(session: Session, incident: Incident, at: dt.datetime) -> list[Suggestion]:
    """Everybody on duty at `at` in the compound who may be sent, the best first."""
    return [one for one in everybody(session, incident, at) if one.excluded is None]


def everybody(session: Session, incident: Incident, at: dt.datetime) -> list[Suggestion]:
    """Everybody on duty, also who may not be sent, with why."""
    ranked = ranking(session, incident, at)
    rows = session.execute(
        select(Responder, Team)
        .join(Team, Team.id == Responder.team)
        .where(Responder.id.in_([one.id for one in ranked]))
    ).all()
    known = {responder.id: (responder, team) for responder, team in rows}
    found = []
    for one in ranked:
        responder, team = known[one.id]
        found.append(
            Suggestion(
                responder_id=one.id,
                name=responder.name,
                team_name=team.name,
                team_kind=team.kind,
                reasons=one.reasons,
                busy=one.busy,
                metres=None if one.metres is None else round(one.metres),
                excluded=one.excluded,
                volunteer=one.volunteer,
            )
        )
    return found


def candidates(
    session: Session, incident: Incident, at: dt.datetime, besides: Collection[str] = ()
) -> list[Candidate]:
    """Who is on duty and can be sent, with what ranking asks of them."""
    duties = {one.id: one for one in on_duty(session, incident.compound, at, kinds=SENT)}
    rows = session.execute(
        select(Responder, Team)
        .join(Team, Team.id == Responder.team)
        .where(Team.compound == incident.compound, Responder.id.in_({*duties, *besides}))
        .order_by(Responder.id)
    ).all()
    busy = _busy(session, incident)
    places = {
        row.responder: (row.x, row.y)
        for row in session.scalars(
            select(ResponderPosition).where(
                ResponderPosition.compound == incident.compound, ResponderPosition.at > at - _FRESH
            )
        )
        if row.x is not None and row.y is not None
    }
    found = []
    for responder, team in rows:
        duty = duties.get(responder.id)
        found.append(
            Candidate(
                id=responder.id,
                team=team.id,
                kind=TeamKind(team.kind),
                on_duty=duty is not None,
                on_call=duty is not None and duty.on_call,
                zones=frozenset(team.zones),
                post=responder.post if duty is None else duty.post,
                position=None if duty is None else places.get(responder.id),
                skills=frozenset(responder.skills),
                capacity=responder.capacity,
                busy_with=tuple(busy.get(responder.id, ())),
            )
        )
    return found


def ground(session: Session, incident: Incident) -> Ground:
    """The compound's zones as dispatch measures ways on them."""
    rows = session.execute(
        select(Zone.id, Zone.outline, Zone.neighbours).where(Zone.compound == incident.compound)
    )
    return Ground(
        {
            row.id: Place(tuple((corner[0], corner[1]) for corner in row.outline), frozenset(row.neighbours))
            for row in rows
        }
    )


def _busy(session: Session, incident: Incident) -> dict[str, list[int]]:
    """Severities of what people have taken on besides this incident, by responder."""
    rows = session.execute(
        select(Dispatch.responder, Incident.severity)
        .join(Incident, Incident.id == Dispatch.incident)
        .where(
            Dispatch.compound == incident.compound,
            Dispatch.state.in_(UNDER_WAY),
            Dispatch.incident != incident.id,
        )
    )
    found: dict[str, list[int]] = {}
    for responder, severity in rows:
        found.setdefault(responder, []).append(severity)
    return found

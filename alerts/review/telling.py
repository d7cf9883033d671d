"""Who hears of reviews and measures: those who lead."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder, Team, TeamKind
from alerts.incidents.models import Incident
from alerts.notify.asking import Ask, ask
from alerts.notify.models import Purpose


def leaders(session: Session, compound: str, *kinds: TeamKind) -> list[str]:
    """Who leads the first of these kinds of team that anybody leads; by id."""
    for kind in kinds:
        found = session.scalars(
            select(Responder.id)
            .join(Team, Team.id == Responder.team)
            .where(Team.compound == compound, Team.kind == kind, Responder.leads, Responder.active)
            .order_by(Responder.id)
        ).all()
        if found:
            return list(found)
    return []


def team_leaders(session: Session, team: str) -> list[str]:
    """Who leads one team; by id."""
    return list(
        session.scalars(
            select(Responder.id)
            .where(Responder.team == team, Responder.leads, Responder.active)
            .order_by(Responder.id)
        )
    )


def supervisors(session: Session, compound: str) -> list[str]:
    """Who looks after reviews and hand-overs: the operators' leaders, else the property manager's."""
    return leaders(session, compound, TeamKind.OPERATOR, TeamKind.PROPERTY)


def managers(session: Session, compound: str) -> list[str]:
    """Who hears of what its owner has not done."""
    return leaders(session, compound, TeamKind.PROPERTY, TeamKind.OPERATOR)


def tell(
    session: Session,
    to: list[str],
    purpose: Purpose,
    key: str,
    compound: str,
    at: dt.datetime,
    arguments: Mapping[str, Any],
    incident: Incident | None = None,
) -> int:
    """Asks that each of them is told; the same key tells nobody twice. Returns how many were new."""
    asks = [
        Ask(
            compound=compound,
            key=f"{key}:{responder}",
            purpose=purpose,
            severity=3,
            responder=responder,
            drill=incident is not None and incident.drill,
            incident=incident.id if incident is not None else None,
            arguments=dict(arguments),
        )
        for responder in to
    ]
    return len(ask(session, asks, at))

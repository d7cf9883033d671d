"""Who stands on a rung of the ladder at this moment."""

import datetime as dt
from collections.abc import Collection, Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.dispatch.models import UNDER_WAY, Dispatch
from alerts.duty.models import Responder, Team, TeamKind
from alerts.duty.onduty import on_duty
from alerts.escalation.ladder import Target
from alerts.incidents.models import Incident


def of_rung(
    session: Session,
    incident: Incident,
    targets: Iterable[Target],
    at: dt.datetime,
    acted: Collection[str] = (),
) -> list[str]:
    """Responders who stand there, by id; `acted` are those who have the incident in hand already."""
    found: set[str] = set()
    for target in targets:
        found |= _of(session, incident, target, at, acted)
    return sorted(found)


def operators(session: Session, compound: str, at: dt.datetime) -> list[str]:
    """Operators on duty; where there is none, whoever leads them."""
    there = sorted(_on_duty(session, compound, at, TeamKind.OPERATOR))
    return there or sorted(_leads(session, compound, TeamKind.OPERATOR))


def _of(
    session: Session, incident: Incident, target: Target, at: dt.datetime, acted: Collection[str]
) -> set[str]:
    compound = incident.compound
    match target:
        case Target.RESPONDER:
            return set(
                session.scalars(
                    select(Dispatch.responder).where(
                        Dispatch.incident == incident.id,
                        Dispatch.state.in_(UNDER_WAY),
                        Dispatch.arrived_at.is_(None),
                    )
                )
            )
        case Target.OPERATORS:
            return _on_duty(session, compound, at, TeamKind.OPERATOR)
        case Target.SECOND_OPERATOR:
            there = _on_duty(session, compound, at, TeamKind.OPERATOR)
            # There is no second one where only one is there, who does not answer.
            return there - set(acted) if len(there) > 1 else _leads(session, compound, TeamKind.OPERATOR)
        case Target.STEWARD:
            near = on_duty(session, compound, at, kinds=(TeamKind.STEWARD, TeamKind.GRID))
            return {one.id for one in near if not one.zones or incident.zone in one.zones}
        case Target.TEAM_LEAD:
            return set() if incident.team is None else _leads(session, compound, team=incident.team)
        case Target.OPERATOR_LEAD:
            return _leads(session, compound, TeamKind.OPERATOR)
        case Target.PROPERTY_MANAGER:
            return _leads(session, compound, TeamKind.PROPERTY)
        case Target.COMMUNITY:
            return _on_duty_or_leads(session, compound, at, TeamKind.COMMUNITY)
        case Target.STREET:
            return _on_duty_or_leads(session, compound, at, TeamKind.STREET)


def _on_duty(session: Session, compound: str, at: dt.datetime, kind: TeamKind) -> set[str]:
    return {one.id for one in on_duty(session, compound, at, kinds=(kind,))}


def _on_duty_or_leads(session: Session, compound: str, at: dt.datetime, kind: TeamKind) -> set[str]:
    return _on_duty(session, compound, at, kind) or _leads(session, compound, kind)


def _leads(
    session: Session, compound: str, kind: TeamKind | None = None, *, team: str | None = None
) -> set[str]:
    query = (
        select(Responder.id)
        .join(Team, Team.id == Responder.team)
        .where(Team.compound == compound, Responder.leads, Responder.active)
    )
    if kind is not None:
        query = query.where(Team.kind == kind)
    if team is not None:
        query = query.where(Team.id == team)
    return set(session.scalars(query))

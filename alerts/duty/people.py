"""Who is meant: responders of a compound, and the limits of their duty."""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.limits import Limits
from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.duty.rostermodels import DutyRules
from registry.errors import MissingError


def responder_of(session: Session, compound: str, responder: str) -> tuple[Responder, Team]:
    """An active responder and the team. Raises `MissingError`, also for another compound's."""
    found = session.execute(
        select(Responder, Team)
        .join(Team, Team.id == Responder.team)
        .where(Responder.id == responder, Responder.active, Team.compound == compound)
    ).first()
    if found is None:
        raise MissingError("responder")
    return found[0], found[1]


def rules_of(session: Session, compound: str) -> DutyRules:
    """What holds in a compound; a row that is not stored where nobody has said anything."""
    return session.get(DutyRules, compound) or DutyRules(
        compound=compound, rest_h=11, check_in_h=4, approve_swaps=False, check_coverage=True
    )


def limits_of(rules: DutyRules) -> Limits:
    return Limits(dt.timedelta(hours=rules.rest_h), dt.timedelta(hours=rules.check_in_h))


def shifts_around(
    session: Session, responder: str, starts_at: dt.datetime, ends_at: dt.datetime
) -> list[Shift]:
    """The responder's shifts a week and a rest around a span: all that a limit can ask about."""
    reach = dt.timedelta(days=9)
    return list(
        session.scalars(
            select(Shift)
            .where(
                Shift.responder == responder,
                Shift.ends_at > starts_at - reach,
                Shift.starts_at < ends_at + reach,
            )
            .order_by(Shift.starts_at, Shift.id)
        )
    )


def managers(session: Session, compound: str) -> list[str]:
    """Responders who answer for rosters: the property's leads; where there are none, the control room's;
    where nobody leads, the control room.
    """
    rows = session.execute(
        select(Responder.id, Responder.leads, Team.kind)
        .join(Team, Team.id == Responder.team)
        .where(
            Team.compound == compound,
            Responder.active,
            Team.kind.in_([TeamKind.PROPERTY, TeamKind.OPERATOR]),
        )
        .order_by(Responder.id)
    ).all()
    for kind, leading in ((TeamKind.PROPERTY, True), (TeamKind.OPERATOR, True), (TeamKind.OPERATOR, False)):
        found = [row.id for row in rows if row.kind == kind and row.leads >= leading]
        if found:
            return found
    return []

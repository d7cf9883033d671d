"""A compound with a control room, a property office and volunteers, and incidents that were resolved."""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder, Team, TeamKind
from alerts.incidents.actions import take_step
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import ReopenReason, State, Step
from alerts.incidents.models import Incident, Transition
from alerts.notify.models import Notification
from alerts.review.rules import AlertVerdict, Cause, Draft
from alerts.review.writing import Written, review
from storage import Database, new_id
from tests.support import keeping
from tests.support.compound import COMPOUND, settle_in

NOW = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)
OPERATOR = Actor("user-operator", "operator")
LEAD = Actor("user-lead", "operator")
MANAGER = Actor("user-manager", "property_manager")

TEAMS = {
    "control": (TeamKind.OPERATOR, {"op-1": False, "op-2": False, "op-lead": True}),
    "property": (TeamKind.PROPERTY, {"manager": True, "electrician": False}),
    "volunteers": (TeamKind.VOLUNTEER_POLICE, {"li": False}),
}


def later(**delta: float) -> dt.datetime:
    return NOW + dt.timedelta(**delta)


def people(database: Database) -> None:
    settle_in(database)
    with database.write() as session:
        for team, (kind, members) in TEAMS.items():
            session.add(Team(id=team, compound=COMPOUND, name=team, kind=kind))
            session.flush()
            session.add_all(
                Responder(id=one, team=team, name=f"name of {one}", leads=leads)
                for one, leads in members.items()
            )


def confirmed(session: Session, **changes: object) -> Incident:
    row = keeping.incident(NOW, State.CONFIRMED, **{"kind": "door.forced", "rule": "R-B05"} | changes)
    session.add(row)
    session.flush()
    session.add(
        Transition(
            id=new_id(),
            incident=row.id,
            version=1,
            from_state=None,
            to_state=State.CONFIRMED,
            actor=OPERATOR.id,
            role="operator",
            at=NOW,
        )
    )
    session.flush()
    return row


def resolved(session: Session, by: Actor = OPERATOR, **changes: object) -> Incident:
    row = confirmed(session, **changes)
    take_step(session, row.id, Step(State.RESOLVED), by, NOW)
    return row


def draft(score: int = 4, **changes: object) -> Draft:
    fields = {
        "score": score,
        "cause": Cause.LIGHTING,
        "alert": AlertVerdict.RIGHT,
        "lesson": "车棚的灯坏了一周",
    }
    return Draft(**fields | changes)


def write(session: Session, incident: Incident, score: int = 4, **more: object) -> Written:
    given = {"by": MANAGER, "at": later(hours=1)} | more
    return review(session, COMPOUND, incident.id, draft(score), **given)


def reopen(session: Session, incident: Incident, at: dt.datetime) -> None:
    take_step(session, incident.id, Step(State.REOPENED, reason=ReopenReason.NEW_FACTS), OPERATOR, at)


def told(session: Session, purpose: str) -> list[tuple[str | None, str | None]]:
    """Whom, and why."""
    rows = session.scalars(
        select(Notification).where(Notification.purpose == purpose).order_by(Notification.asked_at)
    )
    return [(row.responder, row.arguments.get("why")) for row in rows]

"""The routing tree, the way of an incident through it, and what is kept quiet or waits now."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from alerts.incidents.models import Incident
from alerts.routing import current
from alerts.routing.explaining import Asked, Way, explain, plain_tree, unknown_labels
from alerts.routing.gathering import clock_of, place_labels
from alerts.routing.models import RouteGroup, Telling
from alerts.routing.reaching import reach
from alerts.routing.tree import When, facts
from console.accounts.models import User
from console.api.places import Here
from console.permissions import Action, allowed, may
from registry.errors import RefusedError
from registry.places.models import Ring

router = APIRouter(tags=["routes"])
Reader = Annotated[User, may(Action.ROUTES_READ)]
_SHOWN = 200


class RoutesView(BaseModel):
    """`refused`: the file has errors, and what is shown is what was in force before. Times are seconds."""

    version: str
    refused: bool
    route: dict[str, Any]
    receivers: list[dict[str, Any]]
    inhibit: list[dict[str, Any]]
    # By receiver: how many hear of a confirmed S3 now, and who is told instead where nobody is on duty.
    on_duty: dict[str, int]
    instead: dict[str, str]


class QuietView(BaseModel):
    """An incident that a receiver was not told of yet. `why`: silenced, inhibited, muted, group."""

    incident: str
    kind: str
    ring: str
    zone: str
    severity: int
    receiver: str
    route: str
    why: str
    # The silence, the incident or the route that keeps it quiet; the group it waits in.
    by: str | None
    # When it is looked at or told next.
    next_at: dt.datetime | None


@router.get("/routes")
def routing_tree(here: Here, _: Reader) -> RoutesView:
    """The tree in force."""
    tree, at = current.in_force(), here.clock.now()
    given = facts(severity=3, confirmed=True)
    on_duty, instead = {}, {}
    with here.database.read() as session:
        for name, receiver in tree.receivers.items():
            reached = reach(session, here.compound, receiver, given, "", at)
            on_duty[name] = 0 if reached.fell else len(reached.responders)
            if reached.fell:
                instead[name] = reached.fell
    return RoutesView(refused=current.is_refused(), on_duty=on_duty, instead=instead, **plain_tree(tree))


@router.get("/routes/decision")
def routing_decision(
    here: Here,
    _: Reader,
    ring: Ring,
    kind: Annotated[str, Query(min_length=1, max_length=64)],
    severity: Annotated[int, Query(ge=1, le=4)] = 3,
    at: AwareDatetime | None = None,
    stage: When = When.CONFIRMED,
    label: Annotated[list[Annotated[str, Query(max_length=200)]] | None, Query(max_length=20)] = None,
) -> Way:
    """Which way an incident would go at a moment, and whom it would reach; `label` is like `zone=b1`."""
    labels = dict(one.partition("=")[::2] for one in label or ())
    for name in unknown_labels(labels):
        raise RefusedError("unknown_label", name=name[:64])
    moment = at or here.clock.now()
    with here.database.read() as session:
        if "zone" in labels:
            # Which building and grid it lies in, as of an incident there.
            labels = place_labels(session, labels["zone"]) | labels
        asked = Asked(str(ring), kind, severity, stage, labels)
        by = clock_of(session, here.compound)
        return explain(current.in_force(), asked, moment, by, session=session, compound=here.compound)


@router.get("/routes/quiet")
def kept_quiet(here: Here, user: Reader) -> list[QuietView]:
    """What is silenced, inhibited, put off or waits for its group now, the gravest first; at most 200.

    What belongs to people's care is seen by those who see care.
    """
    with here.database.read() as session:
        return _quiet(session, here.compound, care=allowed(user, Action.CARE_READ))


def _quiet(session: Session, compound: str, *, care: bool) -> list[QuietView]:
    rows = session.execute(
        select(Telling, Incident, RouteGroup.due_at)
        .join(Incident, Incident.id == Telling.incident)
        .outerjoin(RouteGroup, RouteGroup.id == Telling.group)
        .where(Telling.compound == compound, or_(Telling.quiet_why.is_not(None), Telling.waiting.is_(True)))
        .where(*(() if care else (Incident.care.is_(False),)))
        .order_by(Incident.severity, Incident.raised_at, Incident.id, Telling.receiver)
        .limit(_SHOWN)
    )
    return [
        QuietView(
            incident=incident.id,
            kind=incident.kind,
            ring=incident.ring,
            zone=incident.zone,
            severity=incident.severity,
            receiver=row.receiver,
            route=row.route,
            why=row.quiet_why or "group",
            by=row.quiet_by or row.group,
            next_at=row.again_at if row.quiet_why else due_at,
        )
        for row, incident, due_at in rows
    ]

"""Tasks as cards: what a responder needs to know of each, and no more (L-20)."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.dispatch import pictures
from alerts.dispatch.knowing import ASKED, needs_to_know
from alerts.dispatch.models import UNDER_WAY, Dispatch, DispatchState, ResponderPosition
from alerts.dispatch.sending import with_volunteers
from alerts.duty.models import Responder
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from console.pages.board import shapes
from console.pages.plan import BuildingShape, DeviceSpot, IncidentSpot, Plan, ZoneShape, build
from registry.models import Building, Zone

# A finished or withdrawn task stays readable for a while: "what became of it?"
_STAYS: Final = dt.timedelta(minutes=30)
# Names on the small plan, as its style sheet draws them.
_LETTER: Final = 30.0
# An older position says nothing of where somebody is who walks.
_FRESH: Final = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Task:
    """One dispatch as a card."""

    id: str
    state: str
    kind: str
    severity: int
    ring: str
    zone_id: str
    zone: str
    buildings: tuple[str, ...]
    happened_at: dt.datetime
    night: bool
    plan: Plan | None
    drill: bool
    leads: bool = False
    # They said that they need help; they are asked whether all is well.
    help: bool = False
    alone_asked: bool = False
    # One volunteer goes by themselves: a second one is wanted.
    second_wanted: bool = False
    # Colleagues who go, too, as (id, name): to whom the lead can be given.
    colleagues: tuple[tuple[str, str], ...] = ()
    # Until when the picture may be looked at, where there is one.
    picture_until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    kind: str
    zone: str
    state: str
    at: dt.datetime


def tasks_of(session: Session, responder_id: str, compound: str, now: dt.datetime) -> list[Task]:
    rows = session.execute(
        select(Dispatch, Incident, Zone)
        .join(Incident, Incident.id == Dispatch.incident)
        .outerjoin(Zone, Zone.id == Incident.zone)
        .where(Dispatch.responder == responder_id, Dispatch.state.in_(ASKED))
        .order_by(Incident.severity, Dispatch.offered_at.desc())
    ).all()
    live = [row for row in rows if needs_to_know(DispatchState(row[0].state), State(row[1].state))]
    if not live:
        return []
    ground = shapes(session, compound)
    # What the responder has taken on comes before what is merely offered, what is taken last.
    rank = {DispatchState.TAKEN: 2, DispatchState.OFFERED: 1}
    live.sort(key=lambda row: rank.get(DispatchState(row[0].state), 0))
    return [_task(session, dispatch, incident, zone, *ground, now) for dispatch, incident, zone in live]


def _task(
    session: Session,
    dispatch: Dispatch,
    incident: Incident,
    zone: Zone | None,
    zones: Sequence[ZoneShape],
    houses: Sequence[BuildingShape],
    now: dt.datetime,
) -> Task:
    # The pin is a mark like any other, so it stands beside the name of its place.
    pin = IncidentSpot(dispatch.id, incident.severity, incident.zone, "", "")
    plan = build(zones, houses, _own_spot(session, dispatch.responder, zones, now), [pin], letter=_LETTER)
    buildings = session.scalars(select(Building.name).where(Building.zone == incident.zone).limit(3)).all()
    return Task(
        id=dispatch.id,
        state=str(dispatch.state),
        kind=incident.kind,
        severity=incident.severity,
        ring=incident.ring,
        zone_id=incident.zone,
        zone=zone.name if zone else incident.zone,
        buildings=tuple(name for name in buildings if zone is None or name != zone.name),
        happened_at=incident.happened_at,
        night=incident.reason_args.get("night") is True,
        plan=plan if plan.zones else None,
        leads=dispatch.lead_of is not None,
        drill=incident.drill,
        help=dispatch.help_at is not None,
        alone_asked=dispatch.alone_asked_at is not None,
        **_company(session, dispatch, incident),
        picture_until=_picture_until(session, dispatch, now),
    )


def _own_spot(
    session: Session, responder_id: str, zones: Sequence[ZoneShape], now: dt.datetime
) -> list[DeviceSpot]:
    """Where the reader is, if they agreed to say so: on their own plan, which nobody else is shown."""
    row = session.get(ResponderPosition, responder_id)
    if row is None or row.x is None or row.y is None or row.at is None or now - row.at > _FRESH:
        return []
    corners = [point for zone in zones for point in zone.outline]
    # Whoever is further away would only make the plan small.
    inside = corners and all(
        min(one[axis] for one in corners) <= value <= max(one[axis] for one in corners)
        for axis, value in enumerate((row.x, row.y))
    )
    return [DeviceSpot("me", "", "", "", "", None, row.x, row.y)] if inside else []


def _company(session: Session, dispatch: Dispatch, incident: Incident) -> dict[str, Any]:
    """Who else goes."""
    going = [
        (row, volunteer) for row, volunteer in with_volunteers(session, incident) if row.state in UNDER_WAY
    ]
    others = [row.responder for row, _ in going if row.id != dispatch.id]
    rows = session.scalars(select(Responder).where(Responder.id.in_(others)).order_by(Responder.id))
    return {
        "second_wanted": len(going) == 1 and going[0][1],
        "colleagues": tuple((row.id, row.name) for row in rows),
    }


def _picture_until(session: Session, dispatch: Dispatch, now: dt.datetime) -> dt.datetime | None:
    try:
        return pictures.of_dispatch(session, dispatch, now).expires_at
    except pictures.PictureGoneError:
        return None


def ended_of(session: Session, responder_id: str, now: dt.datetime) -> list[Ended]:
    rows = session.execute(
        select(Dispatch, Incident, Zone.name)
        .join(Incident, Incident.id == Dispatch.incident)
        .outerjoin(Zone, Zone.id == Incident.zone)
        .where(
            Dispatch.responder == responder_id,
            Dispatch.state.in_([DispatchState.RESOLVED, DispatchState.CANCELLED]),
            Dispatch.offered_at > now - dt.timedelta(hours=12),
        )
        .order_by(Dispatch.offered_at.desc())
        .limit(5)
    )
    lines = [
        Ended(i.kind, zone or i.zone, str(d.state), d.resolved_at or d.answered_at or d.offered_at)
        for d, i, zone in rows
    ]
    return [line for line in lines if now - line.at < _STAYS]

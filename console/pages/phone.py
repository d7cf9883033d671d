"""The volunteer's page: what, where, how to stay safe, and four big buttons.

It carries no name, no picture and no plate: the task does not need them (L-20).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.dispatch.actions import DispatchRefusedError, mark_seen
from alerts.dispatch.models import Dispatch, DispatchState
from alerts.duty.models import Responder, Shift, Team
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from console.accounts.models import User
from console.api.dispatches import Reply, answer
from console.context import rooms
from console.pages.board import shapes
from console.pages.plan import BuildingShape, IncidentSpot, Plan, ZoneShape, build
from console.pages.view import Frame, frame, is_fragment, render
from console.permissions import Action, may
from registry.models import Building, Zone

router = APIRouter()
Tasked = Annotated[User, may(Action.TASKS)]

# A finished or withdrawn task stays readable for a while: "what became of it?"
_STAYS: Final = dt.timedelta(minutes=30)
# Names on the small plan, as its style sheet draws them.
_LETTER: Final = 30.0
_SHOWN: Final = (DispatchState.OFFERED, DispatchState.ACCEPTED, DispatchState.ARRIVED, DispatchState.TAKEN)


@dataclass(frozen=True, slots=True)
class Duty:
    """Whether the responder is on duty, and until or from when."""

    on: bool
    team: str
    until: dt.datetime | None
    next_start: dt.datetime | None


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


@dataclass(frozen=True, slots=True)
class Ended:
    kind: str
    zone: str
    state: str
    at: dt.datetime


@router.get("/phone")
def phone(request: Request, user: Tasked) -> Response:
    """The page as it stands; opening it tells the operator that the alert was seen."""
    _note_seen(request, user)
    return _page(request, user)


@router.get("/phone/fragments/tasks")
def tasks_part(request: Request, user: Tasked) -> Response:
    _note_seen(request, user)
    return _page(request, user, part=True)


@router.post("/phone/dispatches/{dispatch_id}/{reply}")
def reply(
    request: Request,
    user: Tasked,
    dispatch_id: str,
    reply: Reply,
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """One tap. A refusal is shown above the cards, which then stand as they really are."""
    here = rooms(request)
    refused: str | None = None
    try:
        with here.database.write() as session:
            own = session.get(Dispatch, dispatch_id)
            if user.responder_id is None or own is None or own.responder != user.responder_id:
                refused = "not_found"
            else:
                answer(
                    session,
                    user,
                    here.compound,
                    dispatch_id,
                    reply,
                    at=here.clock.now(),
                    note=note.strip() or None,
                )
    except DispatchRefusedError as error:
        refused = error.code
    if is_fragment(request):
        return _page(request, user, part=True, refused=refused)
    if refused:
        return _page(request, user, refused=refused)
    return RedirectResponse("/phone", 303)


def _note_seen(request: Request, user: User) -> None:
    here = rooms(request)
    if user.responder_id is None:
        return
    with here.database.read() as session:
        unseen = session.scalar(
            select(Dispatch.id).where(
                Dispatch.responder == user.responder_id,
                Dispatch.seen_at.is_(None),
                Dispatch.state == DispatchState.OFFERED,
            )
        )
    if unseen:
        with here.database.write() as session:
            mark_seen(session, user.responder_id, here.clock.now())


def _page(request: Request, user: User, *, part: bool = False, refused: str | None = None) -> Response:
    position = request.app.state.feed.position
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        responder = session.get(Responder, user.responder_id) if user.responder_id else None
        tasks = _tasks(session, responder.id, here.compound) if responder else []
        return render(
            view,
            "fragments/tasks.html" if part else "phone.html",
            position=position,
            hears=request.app.state.feed.connected,
            duty=_duty(session, responder, view) if responder else None,
            tasks=tasks,
            ended=_ended(session, responder.id, view.now) if responder else [],
            refused=refused,
        )


def _duty(session: Session, responder: Responder, view: Frame) -> Duty:
    team = session.get(Team, responder.team)
    shift = session.scalars(
        select(Shift)
        .where(Shift.responder == responder.id, Shift.ends_at > view.now)
        .order_by(Shift.starts_at)
        .limit(1)
    ).first()
    on = shift is not None and shift.starts_at <= view.now
    return Duty(
        on=on,
        team=team.name if team else "",
        until=shift.ends_at if shift and on else None,
        next_start=shift.starts_at if shift and not on else None,
    )


def _tasks(session: Session, responder_id: str, compound: str) -> list[Task]:
    rows = session.execute(
        select(Dispatch, Incident, Zone)
        .join(Incident, Incident.id == Dispatch.incident)
        .outerjoin(Zone, Zone.id == Incident.zone)
        .where(Dispatch.responder == responder_id, Dispatch.state.in_(_SHOWN))
        .order_by(Incident.severity, Dispatch.offered_at.desc())
    ).all()
    live = [row for row in rows if State(row[1].state).is_open and row[1].state != State.RESOLVED]
    if not live:
        return []
    ground = shapes(session, compound)
    # What the responder has taken on comes before what is merely offered, what is taken last.
    rank = {DispatchState.TAKEN: 2, DispatchState.OFFERED: 1}
    live.sort(key=lambda row: rank.get(DispatchState(row[0].state), 0))
    return [_task(session, dispatch, incident, zone, *ground) for dispatch, incident, zone in live]


def _task(
    session: Session,
    dispatch: Dispatch,
    incident: Incident,
    zone: Zone | None,
    zones: Sequence[ZoneShape],
    houses: Sequence[BuildingShape],
) -> Task:
    # The pin is a mark like any other, so it stands beside the name of its place.
    pin = IncidentSpot(dispatch.id, incident.severity, incident.zone, "", "")
    plan = build(zones, houses, (), [pin], letter=_LETTER)
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
        drill=incident.drill,
    )


def _ended(session: Session, responder_id: str, now: dt.datetime) -> list[Ended]:
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

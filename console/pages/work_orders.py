"""Work orders on a page: what is broken, who has it, and how long it takes."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder, Team, TeamKind
from alerts.intake import facts
from alerts.intake.models import WorkOrder, WorkOrderState
from alerts.intake.orders import NOTE_MAX, STEPS
from alerts.intake.places import places
from console.accounts.models import User
from console.api import work_orders
from console.api.work_orders import FAULT_BY_HAND, WorkOrderGiven, WorkOrderStep
from console.context import Rooms, rooms
from console.pages.answers import said
from console.pages.places import names
from console.pages.view import frame, render
from console.permissions import Action, may
from console.problems import ProblemError

router = APIRouter(prefix="/console/work-orders")
Reader = Annotated[User, may(Action.WORK_ORDERS_READ)]
Editor = Annotated[User, may(Action.WORK_ORDERS_EDIT)]
Code = Annotated[str, Form(max_length=64)]
Note = Annotated[str, Form(max_length=NOTE_MAX)]
_SHOWN = 200
_MONTH = dt.timedelta(days=30)
_OPEN = [state for state in WorkOrderState if state.is_open]


@router.get("")
def page(request: Request, user: Reader, show: Annotated[str, Query(max_length=8)] = "") -> Response:
    """What is not repaired; with `show=all` what was, too."""
    del user
    return _page(request, everything=show == "all")


@router.post("")
def begin(
    request: Request, user: Editor, fault: Code, place: Code = "", device: Code = "", note: Note = ""
) -> Response:
    """A new one by hand."""
    here = rooms(request)
    ground, _, where = place.partition(":")

    def act() -> str:
        try:
            given = WorkOrderGiven.model_validate(
                {
                    "fault": fault,
                    "device": device or None,
                    "zone": where if ground == "zone" and not device else None,
                    "building": where if ground == "building" and not device else None,
                    "note": note.strip() or None,
                }
            )
        except ValueError:
            raise ProblemError(422, "order_fault", "Choose what is broken") from None
        with here.database.write() as session:
            return work_orders.opened(session, here.compound, user, given, here.clock.now()).id

    made = said(act)
    if made.answer is None:
        return _page(request, refused=made.refused, status=made.status)
    return RedirectResponse(f"/console/work-orders#order-{made.answer}", 303)


@router.post("/{order_id}/{to}")
def step(
    request: Request,
    user: Editor,
    order_id: str,
    to: WorkOrderState,
    version: Annotated[int, Form()],
    responder: Code = "",
    note: Note = "",
) -> Response:
    """A step of one."""
    asked = WorkOrderStep(to=to, version=version, responder=responder or None, note=note.strip() or None)
    made = said(lambda: work_orders.take_step(rooms(request), user, order_id, asked))
    if made.answer is None:
        return _page(request, refused=made.refused, status=made.status)
    return RedirectResponse(f"/console/work-orders?show=all#order-{order_id}", 303)


def _page(
    request: Request, *, everything: bool = False, refused: str | None = None, status: int = 200
) -> Response:
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        query = select(WorkOrder).where(WorkOrder.compound == here.compound)
        if not everything:
            query = query.where(WorkOrder.state.in_([*_OPEN, WorkOrderState.DONE]))
        rows = session.scalars(query.order_by(WorkOrder.opened_at.desc(), WorkOrder.id).limit(_SHOWN)).all()
        month = facts.work_orders(session, here.compound, view.now - _MONTH, view.now)
        grounds = places(session, here.compound)
        return render(
            view,
            "work_orders.html",
            status=status,
            orders=rows,
            everything=everything,
            month=month,
            hours=None if month.mttr is None else round(month.mttr / dt.timedelta(hours=1), 1),
            steps={state: [to for to in WorkOrderState if to in STEPS[state]] for state in WorkOrderState},
            people=_people(session, here),
            names=names(session, here.compound),
            buildings={one.building: one.name for one in grounds if one.building},
            grounds=grounds,
            faults=FAULT_BY_HAND,
            note_max=NOTE_MAX,
            refused=refused,
        )


def _people(session: Session, here: Rooms) -> dict[str, str]:
    """Who repairs: the property company's people, by id."""
    rows = session.scalars(
        select(Responder)
        .join(Team, Team.id == Responder.team)
        .where(Team.compound == here.compound, Team.kind == TeamKind.PROPERTY, Responder.active)
        .order_by(Responder.id)
    )
    return {row.id: row.name for row in rows}

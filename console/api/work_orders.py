"""Work orders: what is broken, who repairs it, and how long that takes."""

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.intake import faults, orders
from alerts.intake.models import WorkOrder, WorkOrderState
from alerts.intake.orders import NOTE_MAX, Fault, OrderMove
from alerts.intake.places import place
from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.context import Rooms
from console.permissions import Action, may
from console.problems import ProblemError
from console.security import as_actor
from devices.models import Device
from registry.errors import RefusedError
from storage import audit

router = APIRouter(tags=["work orders"])
Reader = Annotated[User, may(Action.WORK_ORDERS_READ)]
Editor = Annotated[User, may(Action.WORK_ORDERS_EDIT)]
_Id = Annotated[str, Field(min_length=1, max_length=64)]
_Note = Annotated[str, Field(max_length=NOTE_MAX)]
FAULT_BY_HAND = ("lamp", "door", "lift", faults.DAMAGED, "other")


class WorkOrderView(BaseModel):
    """`responder` is who repairs it; `times`: how often it was spoken of."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    state: WorkOrderState
    version: int
    fault: str
    device: str | None
    contact: str | None
    zone: str | None
    building: str | None
    incident: str | None
    times: int
    team: str | None
    responder: str | None
    note: str | None
    opened_at: dt.datetime
    assigned_at: dt.datetime | None
    started_at: dt.datetime | None
    done_at: dt.datetime | None
    verified_at: dt.datetime | None


class WorkOrderGiven(BaseModel):
    """What somebody found broken: a device, a building or a zone."""

    fault: Literal["lamp", "door", "lift", "damaged", "other"]
    device: _Id | None = None
    zone: _Id | None = None
    building: _Id | None = None
    note: _Note | None = None


class WorkOrderStep(BaseModel):
    """`version` is the one that was read."""

    to: WorkOrderState
    version: int | None = None
    responder: _Id | None = None
    note: _Note | None = None


@router.get("/work-orders")
def list_orders(
    here: Here, _: Reader, paging: Asked, state: Annotated[list[WorkOrderState] | None, Query()] = None
) -> Page[WorkOrderView]:
    """Work orders, newest first."""
    with here.database.read() as session:
        query = select(WorkOrder).where(WorkOrder.compound == here.compound)
        if state:
            query = query.where(WorkOrder.state.in_(state))
        order = (WorkOrder.opened_at, WorkOrder.id)
        items, cursor = newest_first(session, query, order, paging, WorkOrderView.model_validate)
        return Page(items=items, next_cursor=cursor)


@router.post("/work-orders", response_model=WorkOrderView, status_code=201)
def open_order(here: Here, request: Request, user: Editor, given: WorkOrderGiven) -> Response:
    """Opens one by hand, or says once more what is open already."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = opened(session, here.compound, user, given, at)
        return 201, WorkOrderView.model_validate(row).model_dump(mode="json")

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.post("/work-orders/{order_id}/steps")
def step(here: Here, user: Editor, order_id: str, asked: WorkOrderStep) -> WorkOrderView:
    """Gives it to somebody, begins, ends or verifies it."""
    return take_step(here, user, order_id, asked)


def take_step(here: Rooms, user: User, order_id: str, asked: WorkOrderStep) -> WorkOrderView:
    """A step, for the API and the page."""
    with here.database.write() as session:
        row = orders.move(
            session,
            here.compound,
            order_id,
            OrderMove(asked.to, asked.responder, asked.note),
            as_actor(user),
            here.clock.now(),
            expected_version=asked.version,
        )
        session.flush()
        return WorkOrderView.model_validate(row)


def opened(session: Session, compound: str, user: User, given: WorkOrderGiven, at: dt.datetime) -> WorkOrder:
    """An order by hand, for the API and the page."""
    zone, building = given.zone, given.building
    if given.device is not None:
        device = session.get(Device, given.device)
        if device is None or device.compound != compound:
            raise RefusedError("device_unknown")
        zone = device.zone
    elif zone is None and building is None:
        raise ProblemError(422, "place_missing", "A device, a building or a zone is needed")
    else:
        where = place(session, compound, zone, building)
        zone, building = where.zone, where.building
    fault = Fault(given.fault, device=given.device, zone=zone, building=building, note=given.note)
    row = orders.open_order(session, compound, fault, at)
    entry = audit.AuditEntry(
        user.id, str(user.role), "work_order.opened", "incident_handling", row.id, given.fault
    )
    audit.append(session, at, entry)
    session.flush()
    return row

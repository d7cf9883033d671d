"""Work orders (工单): what is broken, who repairs it, and whether it works again.

One fault is one order, whoever speaks of it: the unique key is the promise. Done is what the repairer
says; verified is what the device says, or somebody who went there.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts.duty.models import Responder, Skill, Team, TeamKind
from alerts.incidents.actor import Actor
from alerts.intake import faults
from alerts.intake.models import WorkOrder, WorkOrderState
from alerts.notify.asking import Ask, ask
from alerts.notify.models import Purpose
from registry.errors import MissingError, RefusedError, StaleEditError
from storage import audit, new_id

NOTE_MAX: Final = 1000

STEPS: Final[Mapping[WorkOrderState, frozenset[WorkOrderState]]] = {
    WorkOrderState.OPEN: frozenset({WorkOrderState.ASSIGNED, WorkOrderState.DOING, WorkOrderState.DONE}),
    WorkOrderState.ASSIGNED: frozenset({WorkOrderState.ASSIGNED, WorkOrderState.DOING, WorkOrderState.DONE}),
    WorkOrderState.DOING: frozenset({WorkOrderState.DONE, WorkOrderState.ASSIGNED}),
    # It does not hold after all: back to whoever repairs.
    WorkOrderState.DONE: frozenset({WorkOrderState.VERIFIED, WorkOrderState.ASSIGNED}),
    WorkOrderState.VERIFIED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is broken and where; one of `device`, `contact` and `zone` is given."""

    code: str
    device: str | None = None
    contact: str | None = None
    zone: str | None = None
    building: str | None = None
    incident: str | None = None
    note: str | None = None

    @property
    def open_key(self) -> str:
        return faults.open_key(self.device, self.contact, self.building or self.zone, self.code)


@dataclass(frozen=True, slots=True)
class OrderMove:
    """A step, and what goes with it."""

    to: WorkOrderState
    responder: str | None = None
    note: str | None = None


def open_order(
    session: Session, compound: str, fault: Fault, at: dt.datetime, *, drill: bool = False
) -> WorkOrder:
    """The order for a fault: the open one with one more word of it, else a new one that is told."""
    if fault.note and len(fault.note) > NOTE_MAX:
        raise RefusedError("order_note", most=NOTE_MAX)
    while True:
        known = _open(session, compound, fault.open_key)
        if known is not None:
            if fault.incident is None or known.incident != fault.incident:
                known.times += 1
                known.version += 1
                known.incident = fault.incident or known.incident
                session.flush()
            return known
        try:
            with session.begin_nested():
                return _begin(session, compound, fault, at, drill=drill)
        except IntegrityError:
            # Somebody else opened it in this moment: theirs is the one.
            continue


def _begin(session: Session, compound: str, fault: Fault, at: dt.datetime, *, drill: bool) -> WorkOrder:
    who = repairers(session, compound)
    made = WorkOrder(
        id=new_id(),
        compound=compound,
        open_key=fault.open_key,
        device=fault.device,
        contact=fault.contact,
        zone=fault.zone,
        building=fault.building,
        fault=fault.code,
        incident=fault.incident,
        times=1,
        state=WorkOrderState.OPEN,
        version=1,
        team=who[0].team if who else None,
        note=fault.note,
        opened_at=at,
    )
    session.add(made)
    session.flush()
    tell(session, made, [one.id for one in who], at, "new", drill=drill)
    return made


def repairers(session: Session, compound: str) -> list[Responder]:
    """Who is told of a new order: technicians of the property company, else who leads it, else all of it."""
    rows = list(
        session.scalars(
            select(Responder)
            .join(Team, Team.id == Responder.team)
            .where(Team.compound == compound, Team.kind == TeamKind.PROPERTY, Responder.active)
            .order_by(Responder.id)
        )
    )
    technical = [one for one in rows if Skill.TECHNICAL in one.skills]
    return technical or [one for one in rows if one.leads] or rows


def tell(
    session: Session,
    order: WorkOrder,
    responders: list[str],
    at: dt.datetime,
    why: str,
    *,
    drill: bool = False,
) -> None:
    """Tells people of an order; `why` makes it one thing: new, assigned, the day of a reminder."""
    ask(
        session,
        [
            Ask(
                compound=order.compound,
                key=f"order:{order.id}:{why}:{responder}",
                purpose=Purpose.WORK_ORDER,
                severity=4,
                responder=responder,
                drill=drill,
                arguments={
                    "fault": order.fault,
                    "zone": order.zone,
                    "device": order.device,
                    "order": order.id,
                },
                expires_at=at + dt.timedelta(days=1),
            )
            for responder in responders
        ],
        at,
    )


def move(
    session: Session,
    compound: str,
    order_id: str,
    asked: OrderMove,
    by: Actor,
    at: dt.datetime,
    *,
    expected_version: int | None = None,
) -> WorkOrder:
    """Takes a step. Raises `MissingError`, `StaleEditError`, `RefusedError`.

    Codes: `order_step`, `order_responder` (nobody of this compound), `order_note`, `order_again` (it is
    broken again, and has another order by now).
    """
    order = session.scalars(
        select(WorkOrder)
        .where(WorkOrder.id == order_id, WorkOrder.compound == compound)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if order is None:
        raise MissingError("work_order")
    if expected_version is not None and order.version != expected_version:
        raise StaleEditError(order.version)
    if asked.to not in STEPS[WorkOrderState(order.state)]:
        raise RefusedError("order_step")
    if asked.note and len(asked.note) > NOTE_MAX:
        raise RefusedError("order_note", most=NOTE_MAX)
    if asked.responder is not None:
        _assign(session, order, asked.responder)
    elif asked.to is WorkOrderState.ASSIGNED and order.responder is None:
        raise RefusedError("order_responder")
    _date(session, order, asked.to, at)
    order.note = asked.note or order.note
    session.flush()
    if asked.to is WorkOrderState.ASSIGNED and order.responder is not None:
        tell(session, order, [order.responder], at, f"assigned-{order.version}")
    audit.append(
        session,
        at,
        audit.AuditEntry(
            by.id, by.role, f"work_order.{asked.to}", "incident_handling", order.id, order.fault
        ),
    )
    return order


def _date(session: Session, order: WorkOrder, to: WorkOrderState, at: dt.datetime) -> None:
    order.state = to
    order.version += 1
    if to is WorkOrderState.ASSIGNED:
        if order.open_key is None:
            fault = Fault(order.fault, order.device, order.contact, order.zone, order.building)
            if _open(session, order.compound, fault.open_key) is not None:
                raise RefusedError("order_again")
            order.open_key = fault.open_key
        order.assigned_at, order.done_at = order.assigned_at or at, None
    elif to is WorkOrderState.DOING:
        order.started_at = order.started_at or at
    elif to is WorkOrderState.DONE:
        order.done_at = at
        # What is said of it from now on is another fault.
        order.open_key = None
    else:
        order.verified_at = at


def _assign(session: Session, order: WorkOrder, responder: str) -> None:
    row = session.get(Responder, responder)
    team = None if row is None or not row.active else session.get(Team, row.team)
    if team is None or team.compound != order.compound:
        raise RefusedError("order_responder")
    order.responder, order.team = responder, team.id


def _open(session: Session, compound: str, open_key: str) -> WorkOrder | None:
    return session.scalars(
        select(WorkOrder)
        .where(WorkOrder.compound == compound, WorkOrder.open_key == open_key)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()

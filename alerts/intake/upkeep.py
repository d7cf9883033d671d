"""What comes back with time: dead channels become work orders, devices verify theirs, people are reminded."""

import datetime as dt
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.actor import SYSTEM
from alerts.intake import disputes, faults, orders
from alerts.intake.models import WorkOrder, WorkOrderState
from alerts.intake.orders import Fault, OrderMove
from alerts.notify.models import Contact
from alerts.rounds import Round
from devices.models import DeviceStatus

DUE_AFTER: Final = dt.timedelta(days=2)
"""How long a fault may wait before somebody is reminded, once a day from then on."""

SEEN_FOR: Final = dt.timedelta(minutes=10)
"""How long a device must be there after it was repaired: one sign of life is none."""

_AT_ONCE: Final = 100


def keep(session: Session, now: dt.datetime) -> int:
    """One turn; returns how many orders were begun or verified, and how many people reminded."""
    return (
        _dead_channels(session, now)
        + _verify(session, now)
        + _remind(session, now)
        + disputes.remind(session, now)
    )


def _dead_channels(session: Session, now: dt.datetime) -> int:
    known = select(WorkOrder.contact).where(WorkOrder.contact.is_not(None), WorkOrder.open_key.is_not(None))
    rows = session.scalars(
        select(Contact)
        .where(
            # A person's own phone is that person's to repair.
            Contact.responder.is_(None),
            Contact.dead_since.is_not(None),
            Contact.id.not_in(known),
        )
        .order_by(Contact.id)
        .limit(_AT_ONCE)
    ).all()
    for row in rows:
        orders.open_order(session, row.compound, Fault(faults.CHANNEL_DEAD, contact=row.id), now)
    return len(rows)


def _verify(session: Session, now: dt.datetime) -> int:
    """What was repaired and works again, by its own word."""
    devices = (
        select(WorkOrder.id, WorkOrder.compound)
        .join(DeviceStatus, DeviceStatus.device_id == WorkOrder.device)
        .where(
            WorkOrder.state == WorkOrderState.DONE,
            DeviceStatus.online,
            WorkOrder.done_at <= now - SEEN_FOR,
            DeviceStatus.since <= now - SEEN_FOR,
            DeviceStatus.last_seen > WorkOrder.done_at,
        )
    )
    channels = (
        select(WorkOrder.id, WorkOrder.compound)
        .join(Contact, Contact.id == WorkOrder.contact)
        .where(WorkOrder.state == WorkOrderState.DONE, Contact.dead_since.is_(None))
    )
    rows = [
        *session.execute(devices.order_by(WorkOrder.id).limit(_AT_ONCE)),
        *session.execute(channels.order_by(WorkOrder.id).limit(_AT_ONCE)),
    ]
    for row in rows:
        orders.move(session, row.compound, row.id, OrderMove(WorkOrderState.VERIFIED), SYSTEM, now)
    return len(rows)


def _remind(session: Session, now: dt.datetime) -> int:
    rows = session.scalars(
        select(WorkOrder)
        .where(
            WorkOrder.state.in_([state for state in WorkOrderState if state.is_open]),
            WorkOrder.opened_at <= now - DUE_AFTER,
        )
        .order_by(WorkOrder.opened_at)
        .limit(_AT_ONCE)
    ).all()
    for row in rows:
        whom = [row.responder] if row.responder else _leaders(session, row.compound)
        # Once a day, counted from when it was opened.
        day = (now - row.opened_at).days
        orders.tell(session, row, whom, now, f"day-{day}")
    return len(rows)


def _leaders(session: Session, compound: str) -> list[str]:
    who = orders.repairers(session, compound)
    return [one.id for one in who if one.leads] or [one.id for one in who]


ROUND: Final = Round("work_orders", dt.timedelta(minutes=5), keep)

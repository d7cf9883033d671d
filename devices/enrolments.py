"""Who is known to which terminal, and the orders to forget them there."""

import datetime as dt
import enum
import secrets
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Boolean, ForeignKey, Index, Integer, Select, String, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from registry.errors import MissingError
from storage import Base, OwnedByCompound, UtcTime, new_id


class TerminalEnrolment(OwnedByCompound, Base):
    """A person whose face or card lies on a terminal, under a reference that says nothing else.

    The reference is random: a terminal never gets the person's id, and never an id number.
    """

    __tablename__ = "terminal_enrolments"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"))
    device: Mapped[str] = mapped_column(ForeignKey("devices.id"))
    person: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    ref: Mapped[str] = mapped_column(String(64))
    # Whether a face lies there; otherwise credentials only.
    face: Mapped[bool] = mapped_column(Boolean)
    pushed_at: Mapped[dt.datetime] = mapped_column(UtcTime)

    __table_args__ = (
        UniqueConstraint("device", "person"),
        UniqueConstraint("device", "ref", name="uq_terminal_enrolments_ref"),
    )


class OrderState(enum.StrEnum):
    """Where a delete order stands. A terminal that never answers stays `sent`, and in the receipt."""

    PENDING = "pending"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"


class DeleteOrder(OwnedByCompound, Base):
    """An order to one terminal to forget one reference."""

    __tablename__ = "delete_orders"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    device: Mapped[str] = mapped_column(ForeignKey("devices.id"))
    ref: Mapped[str] = mapped_column(String(64))
    state: Mapped[OrderState] = mapped_column(String(16))
    ordered_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # The erasure or withdrawal that it belongs to.
    cause: Mapped[str | None] = mapped_column(String(64), index=True)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    sent_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    answered_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # The terminal's own code where it refused.
    result: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (Index("ix_delete_orders_device", "device", "state"),)


RESEND_AFTER: Final = dt.timedelta(minutes=1)
"""A terminal that was given an order and has not answered is given it again after this."""

LONGEST_PAUSE: Final = dt.timedelta(hours=6)
"""Between attempts at a terminal that refuses: longer each time, up to this."""

DONE: Final = frozenset({"deleted", "unknown_ref"})
"""Answers after which nothing lies on the terminal any more."""


def note(
    session: Session, compound: str, device_id: str, person_id: str, *, face: bool, at: dt.datetime
) -> TerminalEnrolment:
    """Notes that a person is put on a terminal; its `ref` is what the terminal is given.

    Whoever is there already keeps the reference, unless an order to delete it is under way:
    then the old one is left to that order.
    """
    known = session.scalars(
        select(TerminalEnrolment).where(
            TerminalEnrolment.device == device_id, TerminalEnrolment.person == person_id
        )
    ).first()
    if known is not None and session.scalars(_open_orders(known)).first() is None:
        known.face = known.face or face
        known.pushed_at = at
        session.flush()
        return known
    if known is not None:
        session.delete(known)
        session.flush()
    row = TerminalEnrolment(
        id=new_id(),
        compound=compound,
        device=device_id,
        person=person_id,
        ref=secrets.token_hex(8),
        face=face,
        pushed_at=at,
    )
    session.add(row)
    session.flush()
    return row


def order_deletion(
    session: Session, enrolment: TerminalEnrolment, *, cause: str, at: dt.datetime
) -> DeleteOrder:
    """Queues the order to forget a reference, or gives the one that is under way.

    The row of the enrolment goes when the order is confirmed.
    """
    under_way = session.scalars(_open_orders(enrolment)).first()
    if under_way is not None:
        return under_way
    order = DeleteOrder(
        id=new_id(),
        compound=enrolment.compound,
        device=enrolment.device,
        ref=enrolment.ref,
        state=OrderState.PENDING,
        ordered_at=at,
        cause=cause,
        attempts=0,
    )
    session.add(order)
    session.flush()
    return order


def pending(session: Session, device_id: str, at: dt.datetime, limit: int = 100) -> Sequence[DeleteOrder]:
    """What a terminal has to be told now, the oldest first: new orders, and those due once more."""
    rows = session.scalars(
        select(DeleteOrder)
        .where(DeleteOrder.device == device_id, DeleteOrder.state != OrderState.CONFIRMED)
        .order_by(DeleteOrder.ordered_at, DeleteOrder.id)
    )
    return [order for order in rows if _due(order) <= at][:limit]


def mark_sent(session: Session, orders: Iterable[DeleteOrder], at: dt.datetime) -> None:
    """Notes that orders were handed to their terminal."""
    for order in orders:
        order.state = OrderState.SENT
        order.sent_at = at
        order.attempts += 1
    session.flush()


def answer(session: Session, order_id: str, result: str, at: dt.datetime) -> DeleteOrder:
    """Takes a terminal's answer: one of `DONE`, or its own code for why not. Raises `MissingError`.

    A second answer changes nothing once the first one has confirmed.
    """
    order = session.scalars(
        select(DeleteOrder)
        .where(DeleteOrder.id == order_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if order is None:
        raise MissingError("terminal_order")
    if order.state == OrderState.CONFIRMED:
        return order
    order.state = OrderState.CONFIRMED if result in DONE else OrderState.FAILED
    order.answered_at = at
    order.result = result
    if result in DONE:
        session.execute(
            delete(TerminalEnrolment).where(
                TerminalEnrolment.device == order.device, TerminalEnrolment.ref == order.ref
            )
        )
    session.flush()
    return order


def _due(order: DeleteOrder) -> dt.datetime:
    """When an order is to be given to its terminal next."""
    if order.sent_at is None:
        return order.ordered_at
    if order.state == OrderState.FAILED:
        pause: dt.timedelta = RESEND_AFTER * 2 ** min(order.attempts, 10)
        return order.sent_at + min(pause, LONGEST_PAUSE)
    return order.sent_at + RESEND_AFTER


def _open_orders(enrolment: TerminalEnrolment) -> Select[DeleteOrder]:
    return (
        select(DeleteOrder)
        .where(
            DeleteOrder.device == enrolment.device,
            DeleteOrder.ref == enrolment.ref,
            DeleteOrder.state != OrderState.CONFIRMED,
        )
        .order_by(DeleteOrder.ordered_at)
        .limit(1)
    )

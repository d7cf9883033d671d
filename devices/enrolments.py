"""Who is known to which terminal, and the orders to forget them there.

`devices.lists` puts people on terminals and keeps in these rows what came of it.
"""

import datetime as dt
import enum
import re
import secrets
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from sqlalchemy import (
    Boolean,
    ForeignKey,
    Index,
    Integer,
    Select,
    String,
    UniqueConstraint,
    delete,
    false,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from registry.errors import MissingError
from storage import Base, OwnedByCompound, UtcTime, new_id


class TerminalEnrolment(OwnedByCompound, Base):
    """A person whose face or card lies on a terminal, under a reference that says nothing else.

    The reference is random: a terminal never gets the person's id, and never an id number.
    A visitor with a card has a row without a person.
    """

    __tablename__ = "terminal_enrolments"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"))
    device: Mapped[str] = mapped_column(ForeignKey("devices.id"))
    person: Mapped[str | None] = mapped_column(ForeignKey("people.id"), index=True)
    # The pass whose card this is. No foreign key: the pass may be forgotten while its terminal is away.
    visitor_pass: Mapped[str | None] = mapped_column(String(64))
    ref: Mapped[str] = mapped_column(String(64))
    # Whether a face may lie there, from before it is sent until the terminal has forgotten it.
    face: Mapped[bool] = mapped_column(Boolean)
    pushed_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # The same for a card.
    card: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    # What the terminal has confirmed to hold, and what it was sent last: keyed hashes, see `devices.lists`.
    content_mark: Mapped[str | None] = mapped_column(String(64))
    sent: Mapped[str | None] = mapped_column(String(64))
    # The batch that it went with last.
    push: Mapped[str | None] = mapped_column(String(32), index=True)
    confirmed_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # Whether a face or a card may lie there even if the batch in flight is turned away.
    lay_face: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    lay_card: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    # Refusals of what was sent last, one after another, and when it is tried again.
    failures: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    next_try_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # The picture that went last, if one did, and the one that the terminal would not take, by their
    # names in the media store.
    picture: Mapped[str | None] = mapped_column(String(64))
    refused_picture: Mapped[str | None] = mapped_column(String(64))
    # The terminal's own code and our words for it, of the last refusal.
    code: Mapped[str | None] = mapped_column(String(64))
    text: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (
        UniqueConstraint("device", "person"),
        UniqueConstraint("device", "visitor_pass", name="uq_terminal_enrolments_visitor"),
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
    # The batch that it was sent with; None where the terminal fetched it.
    push: Mapped[str | None] = mapped_column(String(32), index=True)
    # Whether the terminal had ever confirmed to hold the reference; None where nobody kept that.
    was_there: Mapped[bool | None] = mapped_column(Boolean)
    # Whether it was sent before without an answer: then it may have been obeyed.
    unanswered: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())

    __table_args__ = (Index("ix_delete_orders_device", "device", "state"),)


RESEND_AFTER: Final = dt.timedelta(minutes=1)
"""A terminal that was given an order and has not answered is given it again after this."""

LONGEST_PAUSE: Final = dt.timedelta(hours=6)
"""Between attempts at a terminal that refuses: longer each time, up to this."""

_OURS: Final = re.compile(r"[0-9a-f]{16}")

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
    row = new_entry(compound, device_id, at, person=person_id)
    # Whoever calls this puts the person there by other means than a list, and answers for it.
    row.face = row.lay_face = face
    row.confirmed_at = at
    session.add(row)
    session.flush()
    return row


def new_entry(
    compound: str,
    device_id: str,
    at: dt.datetime,
    *,
    person: str | None = None,
    visitor_pass: str | None = None,
) -> TerminalEnrolment:
    """An entry under a new reference, not yet in any session; nothing of it lies on the terminal."""
    return TerminalEnrolment(
        id=new_id(),
        compound=compound,
        device=device_id,
        person=person,
        visitor_pass=visitor_pass,
        ref=secrets.token_hex(8),
        face=False,
        card=False,
        lay_face=False,
        lay_card=False,
        failures=0,
        pushed_at=at,
    )


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
        was_there=enrolment.confirmed_at is not None,
    )
    session.add(order)
    session.flush()
    return order


def order_stray(session: Session, compound: str, device_id: str, ref: str, at: dt.datetime) -> None:
    """Queues the order to forget a reference that a terminal says it holds and nobody wants there."""
    under_way = session.scalars(_open_orders_of(device_id, ref)).first()
    if under_way is None and _OURS.fullmatch(ref):
        session.add(
            DeleteOrder(
                id=new_id(),
                compound=compound,
                device=device_id,
                ref=ref,
                state=OrderState.PENDING,
                ordered_at=at,
                cause="stray",
                attempts=0,
                was_there=True,
            )
        )
        session.flush()


def pending(
    session: Session, device_id: str, at: dt.datetime, limit: int = 100, *, fetched: bool = False
) -> Sequence[DeleteOrder]:
    """What a terminal has to be told now, the oldest first: new orders, and those due once more.

    `fetched`: the terminal asks itself, and is told too what was published to it and not
    answered: whoever asks has not heard it.
    """
    rows = session.scalars(
        select(DeleteOrder)
        .where(DeleteOrder.device == device_id, DeleteOrder.state != OrderState.CONFIRMED)
        .order_by(DeleteOrder.ordered_at, DeleteOrder.id)
    )
    unheard = (OrderState.SENT,) if fetched else ()
    return [
        order for order in rows if _due(order) <= at or (order.push is not None and order.state in unheard)
    ][:limit]


def mark_sent(
    session: Session, orders: Iterable[DeleteOrder], at: dt.datetime, push: str | None = None
) -> None:
    """Notes that orders were handed to their terminal; `push` is the batch that they went with."""
    for order in orders:
        order.state = OrderState.SENT
        order.sent_at = at
        order.attempts += 1
        order.push = push
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


def people_at(session: Session, shown: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Whom we put on terminals under references: (device, reference) → person id.

    Nobody for a reference that is not ours on that device, and for a visitor's card.
    """
    if not shown:
        return {}
    rows = session.execute(
        select(TerminalEnrolment.device, TerminalEnrolment.ref, TerminalEnrolment.person).where(
            TerminalEnrolment.device.in_({device for device, _ in shown}),
            TerminalEnrolment.ref.in_({ref for _, ref in shown}),
            TerminalEnrolment.person.is_not(None),
        )
    )
    found = {(device, ref): person for device, ref, person in rows if person is not None}
    return {pair: found[pair] for pair in shown if pair in found}


def _due(order: DeleteOrder) -> dt.datetime:
    """When an order is to be given to its terminal next."""
    if order.sent_at is None:
        return order.ordered_at
    if order.state == OrderState.FAILED:
        pause: dt.timedelta = RESEND_AFTER * 2 ** min(order.attempts, 10)
        return order.sent_at + min(pause, LONGEST_PAUSE)
    return order.sent_at + RESEND_AFTER


def _open_orders(enrolment: TerminalEnrolment) -> Select[DeleteOrder]:
    return _open_orders_of(enrolment.device, enrolment.ref)


def _open_orders_of(device_id: str, ref: str) -> Select[DeleteOrder]:
    return (
        select(DeleteOrder)
        .where(
            DeleteOrder.device == device_id,
            DeleteOrder.ref == ref,
            DeleteOrder.state != OrderState.CONFIRMED,
        )
        .order_by(DeleteOrder.ordered_at)
        .limit(1)
    )

"""Who is known to which terminal, and the orders to forget them there."""

import datetime as dt
import enum

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, OwnedByCompound, UtcTime


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

"""A dispatch: one responder asked to go to one incident (派单)."""

import datetime as dt
import enum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, OwnedByCompound, UtcTime


class DispatchState(enum.StrEnum):
    """Where a dispatch stands."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    TAKEN = "taken"  # somebody else leads
    ASSISTING = "assisting"  # goes along with whoever leads
    EN_ROUTE = "en_route"
    DECLINED = "declined"
    ARRIVED = "arrived"
    RESOLVED = "resolved"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """The responder may still act on it."""
        return self in {DispatchState.OFFERED, *UNDER_WAY}


UNDER_WAY = frozenset(
    {DispatchState.ACCEPTED, DispatchState.ASSISTING, DispatchState.EN_ROUTE, DispatchState.ARRIVED}
)
"""The responder has taken it on and is not done."""


class Dispatch(OwnedByCompound, Base):
    __tablename__ = "dispatches"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id"))
    compound: Mapped[str] = mapped_column(String(64))
    responder: Mapped[str] = mapped_column(ForeignKey("responders.id"))
    state: Mapped[DispatchState] = mapped_column(String(16))
    # The incident's id for the one who leads, None for everybody else: unique, so that two
    # who accept together give one lead.
    lead_of: Mapped[str | None] = mapped_column(String(32), unique=True)
    offered_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    answered_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    arrived_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    resolved_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # When the responder's phone had it on its screen.
    seen_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    note: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        UniqueConstraint("incident", "responder"),
        Index("ix_dispatches_responder", "responder", "state"),
    )

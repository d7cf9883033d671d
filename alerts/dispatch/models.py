"""A dispatch: one responder asked to go to one incident (派单)."""

import datetime as dt
import enum

from sqlalchemy import Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, EncryptedText, OwnedByCompound, UtcTime


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


class Decline(enum.StrEnum):
    """Why somebody does not go."""

    BUSY = "busy"
    TOO_FAR = "too_far"
    UNWELL = "unwell"
    NOT_SAFE = "not_safe"
    OTHER = "other"
    # Said by the system: their duty ended between the asking and the answer.
    OFF_DUTY = "off_duty"


class Arrival(enum.StrEnum):
    """What stands behind "I am there"."""

    GEOFENCE = "geofence"  # their position, which they give while on duty, is at the place
    CHECKPOINT = "checkpoint"  # a code (QR, NFC) that hangs at the place
    SAID = "said"


class Result(enum.StrEnum):
    """What came of it, in a word (办结)."""

    SETTLED = "settled"
    NOBODY_FOUND = "nobody_found"
    HANDED_TO_POLICE = "handed_to_police"
    HANDED_TO_RESCUE = "handed_to_rescue"
    HANDED_TO_PROPERTY = "handed_to_property"
    NO_DANGER = "no_danger"


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
    # How often this responder was asked for this incident: each asking is a letter of its own.
    offers: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    # Until when the responder was on duty when they were asked; None: they were not, and were asked anyway.
    duty_until: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # When an answer, or the arrival, is overdue; None where nothing is waited for. How often it was.
    due_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    overdue: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    set_out_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    arrived_by: Mapped[Arrival | None] = mapped_column(String(16))
    declined_for: Mapped[Decline | None] = mapped_column(String(16))
    result: Mapped[Result | None] = mapped_column(String(32))
    # The photo of what came of it, which the responder took.
    media_id: Mapped[str | None] = mapped_column(String(64))
    # When they said that they need help, None once it is all right again.
    help_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # When somebody who is there alone is asked next whether all is well, or is to have answered; since
    # when an answer is waited for; how often they were asked.
    alone_due_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    alone_asked_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    alone_asked: Mapped[int] = mapped_column(Integer, default=0, server_default="0")

    __table_args__ = (
        UniqueConstraint("incident", "responder"),
        Index("ix_dispatches_responder", "responder", "state"),
        Index("ix_dispatches_due", "due_at"),
        Index("ix_dispatches_alone_due", "alone_due_at"),
    )


class ResponderPosition(OwnedByCompound, Base):
    """Where a responder was last, who agreed to say so for this duty. One row each, overwritten.

    There is no history: where somebody went is nobody's to know. The row goes with the duty.
    """

    __tablename__ = "responder_positions"

    responder: Mapped[str] = mapped_column(ForeignKey("responders.id", ondelete="CASCADE"), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    consented_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # Plan metres, like zones; None until the phone has said it once.
    x: Mapped[float | None] = mapped_column(Float)
    y: Mapped[float | None] = mapped_column(Float)
    # Metres within which it is right, as the phone says.
    accuracy: Mapped[float | None] = mapped_column(Float)
    at: Mapped[dt.datetime | None] = mapped_column(UtcTime)


class IncidentCall(OwnedByCompound, Base):
    """That somebody called 110, 119 or 120. The operator calls; nothing here ever dials."""

    __tablename__ = "incident_calls"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), index=True)
    compound: Mapped[str] = mapped_column(String(64))
    number: Mapped[str] = mapped_column(String(8))
    actor: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    note: Mapped[str | None] = mapped_column(EncryptedText)


class TaskPicture(OwnedByCompound, Base):
    """A picture that those who go need to see, for a while: an operator said so, and why (L-20)."""

    __tablename__ = "task_pictures"

    # One an incident: another takes its place.
    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    media_id: Mapped[str] = mapped_column(String(64))
    flagged_by: Mapped[str] = mapped_column(String(64))
    flagged_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    reason: Mapped[str] = mapped_column(EncryptedText)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcTime)

"""Reports of people, disputes, and work orders."""

import datetime as dt
import enum

from sqlalchemy import Date, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from alerts.intake.kinds import Danger, ReportKind
from storage import Base, EncryptedText, OwnedByCompound, UtcTime


class IntakeReport(OwnedByCompound, Base):
    """What somebody told the control room. Ten of them may be one incident."""

    __tablename__ = "intake_reports"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), index=True)
    # Who told it: an account, never nobody. None once the reporter has been forgotten.
    reporter: Mapped[str | None] = mapped_column(String(32))
    role: Mapped[str] = mapped_column(String(16))
    # The responder or the registered person behind the account.
    responder: Mapped[str | None] = mapped_column(String(64))
    person: Mapped[str | None] = mapped_column(String(64), index=True)
    kind: Mapped[ReportKind] = mapped_column(String(24))
    danger: Mapped[Danger] = mapped_column(String(16))
    zone: Mapped[str] = mapped_column(String(64))
    building: Mapped[str | None] = mapped_column(String(64))
    device: Mapped[str | None] = mapped_column(String(64))
    words: Mapped[str | None] = mapped_column(EncryptedText)
    media_id: Mapped[str | None] = mapped_column(String(64))
    happened_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    at: Mapped[dt.datetime] = mapped_column(UtcTime)

    __table_args__ = (Index("ix_intake_reports_reporter", "reporter", "at"),)


class DisputeState(enum.StrEnum):
    """Where a dispute stands (矛盾纠纷)."""

    OPEN = "open"
    ACCEPTED = "accepted"  # a mediator has taken it
    MEETING = "meeting"  # the parties are to sit down together
    SETTLED = "settled"
    FAILED = "failed"
    PASSED_ON = "passed_on"  # to the community, a court, the police

    @property
    def is_open(self) -> bool:
        """A mediator still has something to do."""
        return self in {DisputeState.OPEN, DisputeState.ACCEPTED, DisputeState.MEETING}


class Dispute(OwnedByCompound, Base):
    """A quarrel between neighbours, in a mediator's hands."""

    __tablename__ = "disputes"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), unique=True)
    zone: Mapped[str] = mapped_column(String(64))
    state: Mapped[DisputeState] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(Integer, default=1)
    # A responder of the mediation team.
    mediator: Mapped[str | None] = mapped_column(String(64))
    # Whose quarrel it is, in the mediator's own words; and what they agreed on.
    parties: Mapped[str | None] = mapped_column(EncryptedText)
    agreement: Mapped[str | None] = mapped_column(EncryptedText)
    opened_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    accepted_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    meeting_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # When somebody asks whether it holds.
    follow_up_on: Mapped[dt.date | None] = mapped_column(Date)

    __table_args__ = (Index("ix_disputes_state", "compound", "state"),)


class WorkOrderState(enum.StrEnum):
    """Where a work order stands (工单)."""

    OPEN = "open"
    ASSIGNED = "assigned"
    DOING = "doing"
    DONE = "done"  # whoever repaired it says so
    VERIFIED = "verified"  # the device says so, or somebody who went there

    @property
    def is_open(self) -> bool:
        """Somebody still has something to repair."""
        return self in {WorkOrderState.OPEN, WorkOrderState.ASSIGNED, WorkOrderState.DOING}


class WorkOrder(OwnedByCompound, Base):
    """Something to repair."""

    __tablename__ = "work_orders"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    # The device, or the place and fault, while it is not repaired: unique, so that one fault is one order.
    open_key: Mapped[str | None] = mapped_column(String(160))
    device: Mapped[str | None] = mapped_column(String(64))
    contact: Mapped[str | None] = mapped_column(String(32))
    zone: Mapped[str | None] = mapped_column(String(64))
    building: Mapped[str | None] = mapped_column(String(64))
    fault: Mapped[str] = mapped_column(String(64))
    # The last incident that spoke of it, and how many did.
    incident: Mapped[str | None] = mapped_column(String(32), index=True)
    times: Mapped[int] = mapped_column(Integer, default=1)
    state: Mapped[WorkOrderState] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(Integer, default=1)
    team: Mapped[str | None] = mapped_column(String(64))
    responder: Mapped[str | None] = mapped_column(String(64))
    note: Mapped[str | None] = mapped_column(EncryptedText)
    opened_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    assigned_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    started_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    done_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    verified_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        UniqueConstraint("compound", "open_key"),
        Index("ix_work_orders_state", "compound", "state", "opened_at"),
    )

"""Watch-list entries (布控): lawful only with basis, applicant, another approver, and an end."""

import datetime as dt
import enum

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from registry.places.models import Ring
from storage import Base, JsonText, OwnedByCompound, UtcTime


class WatchlistSubject(enum.StrEnum):
    """What an entry looks for."""

    PLATE = "plate"
    PERSON = "person"
    CREDENTIAL = "credential"  # a lost card


class LegalBasis(enum.StrEnum):
    """On what ground an entry stands."""

    POLICE_ORDER = "police_order"
    OWNERS_RESOLUTION = "owners_resolution"
    COURT_ORDER = "court_order"
    OWNERS_REPORT = "owners_report"  # somebody reports their own card or car lost


class WatchlistEntry(OwnedByCompound, Base):
    """An order to look out for a plate, a credential or a registered person, in rings, for a time."""

    __tablename__ = "watchlist_entries"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"))
    subject_kind: Mapped[WatchlistSubject] = mapped_column(String(16))
    # A normalised plate, or a person's or credential's id.
    subject: Mapped[str] = mapped_column(String(64))
    legal_basis: Mapped[LegalBasis] = mapped_column(String(32))
    document_no: Mapped[str] = mapped_column(String(64))
    applicant: Mapped[str] = mapped_column(String(64))
    applicant_org: Mapped[str | None] = mapped_column(String(128))
    approver: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200))
    rings: Mapped[list[Ring]] = mapped_column(JsonText)
    # Roles (`operator`, `police` …) or users (`user:ID`) who are told of a hit; empty: operators.
    recipients: Mapped[list[str]] = mapped_column(JsonText, default=list, server_default="[]")
    # 1 the most urgent … 4.
    priority: Mapped[int] = mapped_column(Integer, default=3, server_default="3")
    starts_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    lifted_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    lifted_by: Mapped[str | None] = mapped_column(String(64))
    # The entry that this one goes on from; a renewal is an approval of its own.
    renews: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_watchlist_subject", "compound", "subject_kind", "subject"),
        CheckConstraint("applicant <> approver", name="two_people"),
        CheckConstraint("ends_at > starts_at", name="ends"),
    )


class ApplicationState(enum.StrEnum):
    """Where an application stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class WatchlistApplication(OwnedByCompound, Base):
    """What one person asks for and another has to decide; only then is there an entry."""

    __tablename__ = "watchlist_applications"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    subject_kind: Mapped[WatchlistSubject] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(64))
    legal_basis: Mapped[LegalBasis] = mapped_column(String(32))
    document_no: Mapped[str] = mapped_column(String(64))
    applicant: Mapped[str] = mapped_column(String(64))
    applicant_role: Mapped[str] = mapped_column(String(32))
    applicant_org: Mapped[str] = mapped_column(String(128))
    reason: Mapped[str] = mapped_column(String(200))
    rings: Mapped[list[Ring]] = mapped_column(JsonText)
    recipients: Mapped[list[str]] = mapped_column(JsonText, default=list)
    priority: Mapped[int] = mapped_column(Integer, default=3)
    starts_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    renews: Mapped[str | None] = mapped_column(ForeignKey("watchlist_entries.id"))
    applied_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    state: Mapped[ApplicationState] = mapped_column(String(16), default=ApplicationState.PENDING)
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    entry: Mapped[str | None] = mapped_column(ForeignKey("watchlist_entries.id"))

    __table_args__ = (
        CheckConstraint("decided_by IS NULL OR decided_by <> applicant", name="two_people"),
        CheckConstraint("ends_at > starts_at", name="ends"),
    )

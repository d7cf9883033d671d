"""Watch-list entries (布控): lawful only with basis, applicant, another approver, and an end."""

import datetime as dt
import enum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from registry.places import Ring
from storage import Base, JsonText, UtcTime


class WatchlistSubject(enum.StrEnum):
    """What an entry looks for."""

    PLATE = "plate"
    PERSON = "person"


class LegalBasis(enum.StrEnum):
    """On what ground an entry stands."""

    POLICE_ORDER = "police_order"
    OWNERS_RESOLUTION = "owners_resolution"
    COURT_ORDER = "court_order"


class WatchlistEntry(Base):
    """An order to look out for a plate or a registered person, in given rings, for a time."""

    __tablename__ = "watchlist_entries"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"))
    subject_kind: Mapped[WatchlistSubject] = mapped_column(String(16))
    # A normalised plate, or a person's id.
    subject: Mapped[str] = mapped_column(String(64))
    legal_basis: Mapped[LegalBasis] = mapped_column(String(32))
    document_no: Mapped[str] = mapped_column(String(64))
    applicant: Mapped[str] = mapped_column(String(64))
    approver: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200))
    rings: Mapped[list[Ring]] = mapped_column(JsonText)
    starts_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    lifted_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_watchlist_subject", "compound", "subject_kind", "subject"),
        CheckConstraint("applicant <> approver", name="two_people"),
        CheckConstraint("ends_at > starts_at", name="ends"),
    )

"""What was said of incidents afterwards: reviews, ratings, and the two lists of what is needed and done."""

import datetime as dt

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from alerts.review.rules import AlertVerdict, Cause, MeasureState, RaterKind
from storage import Base, EncryptedText, OwnedByCompound, UtcTime


class IncidentReview(OwnedByCompound, Base):
    """一事一评: one for each time that an incident was resolved; never changed."""

    __tablename__ = "incident_reviews"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"))
    compound: Mapped[str] = mapped_column(String(64))
    # The version at which it was resolved: what is resolved again is reviewed again.
    resolved_version: Mapped[int] = mapped_column(Integer)
    # 1 badly … 5 very well.
    score: Mapped[int] = mapped_column(Integer)
    cause: Mapped[Cause] = mapped_column(String(24))
    alert: Mapped[AlertVerdict] = mapped_column(String(16))
    lesson: Mapped[str] = mapped_column(EncryptedText)
    # Something is to be done about it: it is on the list of measures.
    measure: Mapped[bool] = mapped_column(Boolean)
    # The score was so low that the incident was taken up again.
    reopened: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    reviewer: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(32))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)

    __table_args__ = (
        UniqueConstraint("incident", "resolved_version"),
        Index("ix_incident_reviews_at", "compound", "at"),
    )


class IncidentRating(OwnedByCompound, Base):
    """What the reporter or the household thinks of how it was handled. Asked once, answered once."""

    __tablename__ = "incident_ratings"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"))
    compound: Mapped[str] = mapped_column(String(64))
    resolved_version: Mapped[int] = mapped_column(Integer)
    kind: Mapped[RaterKind] = mapped_column(String(16))
    # Who is asked: a responder, a registered person, or whoever holds the link.
    responder: Mapped[str | None] = mapped_column(String(64), index=True)
    person: Mapped[str | None] = mapped_column(String(64), index=True)
    # SHA-256 of the link's token.
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    invited_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    score: Mapped[int | None] = mapped_column(Integer)
    words: Mapped[str | None] = mapped_column(EncryptedText)
    rated_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    reopened: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())

    __table_args__ = (Index("ix_incident_ratings_incident", "incident", "resolved_version"),)


class Need(OwnedByCompound, Base):
    """Something that is missing (需求清单), and where."""

    __tablename__ = "needs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64), index=True)
    what: Mapped[str] = mapped_column(EncryptedText)
    zone: Mapped[str | None] = mapped_column(String(64))
    author: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # Met, or set aside; None while it is missing.
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")


class NeedIncident(OwnedByCompound, Base):
    """An incident that showed a need."""

    __tablename__ = "need_incidents"

    need: Mapped[str] = mapped_column(ForeignKey("needs.id", ondelete="CASCADE"), primary_key=True)
    incident: Mapped[str] = mapped_column(
        ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    compound: Mapped[str] = mapped_column(String(64))


class Measure(OwnedByCompound, Base):
    """What is to be done about a need (措施清单), by whom and by when."""

    __tablename__ = "measures"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    need: Mapped[str] = mapped_column(ForeignKey("needs.id", ondelete="CASCADE"), index=True)
    what: Mapped[str] = mapped_column(EncryptedText)
    # Who answers for it: a responder, or a team, whose leaders hear of it.
    responder: Mapped[str | None] = mapped_column(String(64))
    team: Mapped[str | None] = mapped_column(String(64))
    # The end of the day by which it is to be done.
    due_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # The incidents of its need are not closed before it is done or refused.
    blocking: Mapped[bool] = mapped_column(Boolean)
    state: Mapped[MeasureState] = mapped_column(String(16))
    # What shows that it was done, or why it was refused.
    note: Mapped[str | None] = mapped_column(EncryptedText)
    author: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    ended_by: Mapped[str | None] = mapped_column(String(64))
    # How often somebody was told that it is late: its owner first, then the manager.
    reminded: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")

    __table_args__ = (Index("ix_measures_due", "state", "due_at"),)

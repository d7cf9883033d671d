"""What is kept quiet for a while, what waits for a group, and who was told of which incident."""

import datetime as dt

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, EncryptedText, JsonText, OwnedByCompound, UtcTime


class Silence(OwnedByCompound, Base):
    """Incidents that match are told to nobody for a while; they stand in the queue all the same."""

    __tablename__ = "silences"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64), index=True)
    matchers: Mapped[list[str]] = mapped_column(JsonText)
    # The gravest severity it covers; what is graver is told.
    gravest: Mapped[int] = mapped_column(Integer)
    starts_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    author: Mapped[str] = mapped_column(String(64))
    comment: Mapped[str] = mapped_column(EncryptedText)
    # Ended before its end.
    lifted_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    lifted_by: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (CheckConstraint("ends_at > starts_at", name="ends"),)


class RouteGroup(OwnedByCompound, Base):
    """Incidents that are told together: of one route, one receiver, and the same labels."""

    __tablename__ = "route_groups"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    # A digest of route, receiver and labels.
    key: Mapped[str] = mapped_column(String(64))
    route: Mapped[str] = mapped_column(String(64))
    receiver: Mapped[str] = mapped_column(String(64))
    labels: Mapped[dict[str, str]] = mapped_column(JsonText)
    opened_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # When it was told last, and the gravest that was told then or before.
    told_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    gravest: Mapped[int | None] = mapped_column(Integer)
    # When what waits in it is told; None while nothing does.
    due_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    repeat_s: Mapped[int] = mapped_column(Integer)

    __table_args__ = (UniqueConstraint("compound", "key"), Index("ix_route_groups_due", "due_at"))


class Telling(OwnedByCompound, Base):
    """What a receiver was told of an incident: at which severity, or why it was not yet."""

    __tablename__ = "incident_tellings"

    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True)
    receiver: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    # By name: the route that had it, for whoever asks why.
    route: Mapped[str] = mapped_column(String(64))
    # None where it waits for no group.
    group: Mapped[str | None] = mapped_column(ForeignKey("route_groups.id", ondelete="SET NULL"), index=True)
    waiting: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    # The gravest that was told; None: nothing yet.
    severity: Mapped[int | None] = mapped_column(Integer)
    told_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    times: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    # The incident's version at which it came to life again: what was told before was of another time.
    life: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    # The incident under whose notice it was told, where several were told together.
    face: Mapped[str | None] = mapped_column(String(32), index=True)
    # silenced, inhibited or muted; by which silence, incident or route.
    quiet_why: Mapped[str | None] = mapped_column(String(16))
    quiet_by: Mapped[str | None] = mapped_column(String(64), index=True)
    # When it is told again, or looked at again where it is quiet.
    again_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    repeat_s: Mapped[int] = mapped_column(Integer, default=0, server_default="0")

    __table_args__ = (Index("ix_incident_tellings_again", "again_at"),)

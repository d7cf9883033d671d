"""Drills and what is played in them."""

import datetime as dt

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, OwnedByCompound, UtcTime


class Drill(OwnedByCompound, Base):
    """An exercise. It ends by itself at `ends_at`, should nobody end it before."""

    __tablename__ = "drills"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"))
    # The compound while it runs, so that there is one at a time.
    running: Mapped[str | None] = mapped_column(String(64), unique=True)
    scenario: Mapped[str] = mapped_column(String(32))
    # A user's id, or system.
    started_by: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    ended_by: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (Index("ix_drills_compound", "compound", "started_at"),)


class DrillIncident(OwnedByCompound, Base):
    """One invented incident: when it is due, and which incident it became."""

    __tablename__ = "drill_incidents"

    drill: Mapped[str] = mapped_column(ForeignKey("drills.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(64))
    zone: Mapped[str] = mapped_column(String(64))
    due_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    raised_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    incident: Mapped[str | None] = mapped_column(ForeignKey("incidents.id", ondelete="SET NULL"), index=True)

    __table_args__ = (Index("ix_drill_incidents_due", "raised_at", "due_at"),)

"""Absences that people who are looked after have declared: then silence is no reason to call."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, OwnedByCompound, UtcTime


class CareAbsence(OwnedByCompound, Base):
    """Somebody who is looked after is away, says themselves, family or the grid worker."""

    __tablename__ = "care_absences"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    person: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    starts_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    declared_by: Mapped[str] = mapped_column(String(64))
    declared_at: Mapped[dt.datetime] = mapped_column(UtcTime)

    __table_args__ = (CheckConstraint("ends_at > starts_at", name="ends"),)

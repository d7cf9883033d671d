"""Mutes: a rule silenced for a place and a time. Each has an author, a reason and an end."""

import datetime as dt

from sqlalchemy import CheckConstraint, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.rules import Mute
from storage import Base, OwnedByCompound, UtcTime


class RuleMute(OwnedByCompound, Base):
    """A maintenance window or the like; `place` is a lane, device or zone, None for all."""

    __tablename__ = "rule_mutes"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64), index=True)
    rule: Mapped[str] = mapped_column(String(16))
    place: Mapped[str | None] = mapped_column(String(64))
    starts_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    author: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200))
    # person, plate, pass …; None for all.
    subject_kind: Mapped[str | None] = mapped_column(String(16))
    # Ended before its end.
    lifted_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    lifted_by: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (CheckConstraint("ends_at > starts_at", name="ends"),)


def in_force(session: Session, compound: str, since: dt.datetime) -> list[Mute]:
    """Mutes that have not ended before `since`."""
    rows = session.scalars(select(RuleMute).where(RuleMute.compound == compound, RuleMute.ends_at > since))
    return [Mute(row.rule, row.place, row.starts_at, row.ends_at) for row in rows]

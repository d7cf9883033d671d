"""Who evaluates a compound's rules: one process at a time, another within seconds where it dies."""

import datetime as dt

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, OwnedByCompound, UtcTime


class AlertLease(OwnedByCompound, Base):
    """One row a compound. `epoch` counts its holders: a holder that slept is known by an old one."""

    __tablename__ = "alert_leases"

    compound: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    epoch: Mapped[int] = mapped_column(Integer)
    until: Mapped[dt.datetime] = mapped_column(UtcTime)
    # How far it has come: everything received before, and everything due before, was said.
    handled_until: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    advanced_to: Mapped[dt.datetime | None] = mapped_column(UtcTime)

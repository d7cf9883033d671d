"""How far the plan of an incident has come."""

import datetime as dt

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, OwnedByCompound, UtcTime


class PlanStep(OwnedByCompound, Base):
    """A step of a response plan that was done, skipped or answered for one incident."""

    __tablename__ = "plan_steps"

    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True)
    # Part of the key: an incident that grows may get another plan, and plans share names of steps.
    plan: Mapped[str] = mapped_column(String(64), primary_key=True)
    step: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    # done, skipped, failed.
    state: Mapped[str] = mapped_column(String(16))
    # Which branch was taken, where the step asks.
    answer: Mapped[str | None] = mapped_column(String(64))
    actor: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(32))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    note: Mapped[str | None] = mapped_column(Text)

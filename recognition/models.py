"""The record of every decision: enough to explain it, to replay it and to measure the engine."""

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, Float, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, JsonText, OwnedByCompound, UtcTime


class DecisionRow(OwnedByCompound, Base):
    """One decision on one event. No embedding, no picture, no attribute of a person is kept here.

    The primary key is the sighting's id, a function of the event: a second worker, or the
    same one after a crash, finds the row there and adds nothing.
    """

    __tablename__ = "decisions"

    sighting_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(32), index=True)
    compound: Mapped[str] = mapped_column(String(64))
    subject_kind: Mapped[str] = mapped_column(String(16))
    outcome: Mapped[str] = mapped_column(String(24))
    person_id: Mapped[str | None] = mapped_column(String(64))
    household_id: Mapped[str | None] = mapped_column(String(64))
    vehicle_id: Mapped[str | None] = mapped_column(String(64))
    plate: Mapped[str | None] = mapped_column(String(16))
    # A distance for faces, a confidence for plates; None when nothing was compared.
    score: Mapped[float | None] = mapped_column(Float)
    threshold: Mapped[float | None] = mapped_column(Float)
    margin: Mapped[float | None] = mapped_column(Float)
    # People or plates it was compared with.
    gallery_size: Mapped[int | None] = mapped_column(Integer)
    engine: Mapped[str | None] = mapped_column(String(32))
    engine_version: Mapped[str | None] = mapped_column(String(64))
    candidates: Mapped[list[dict[str, Any]]] = mapped_column(JsonText)
    quality: Mapped[dict[str, Any] | None] = mapped_column(JsonText)
    reasons: Mapped[list[str]] = mapped_column(JsonText)
    # What others said: the device's own match, or our reading beside the device's.
    evidence: Mapped[dict[str, Any]] = mapped_column(JsonText)
    milliseconds: Mapped[int] = mapped_column(Integer)
    # Time of the event, which retention goes by, and of the decision.
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    decided_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # How much was known of the event when it was decided; None for events that are told of once.
    revision: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        Index("ix_decisions_compound_time", "compound", "at"),
        Index("ix_decisions_person", "person_id", "at"),
    )

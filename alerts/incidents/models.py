"""Incidents, their evidence, and every step they took."""

import datetime as dt
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from alerts.incidents.lifecycle import State
from storage import Base, JsonText, OwnedByCompound, UtcTime


class Incident(OwnedByCompound, Base):
    """One thing that happened (警情). `version` counts its changes and guards against two hands."""

    __tablename__ = "incidents"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    rule: Mapped[str] = mapped_column(String(16))
    # The kind routing and plans go by, e.g. unknown_passed, door.forced.
    kind: Mapped[str] = mapped_column(String(64))
    ring: Mapped[str] = mapped_column(String(16))
    zone: Mapped[str] = mapped_column(String(64))
    device_id: Mapped[str] = mapped_column(String(64))
    lane: Mapped[str | None] = mapped_column(String(64))
    # 1 critical (特急) … 4 notice (提示).
    severity: Mapped[int] = mapped_column(Integer)
    state: Mapped[State] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(Integer)
    # When it happened (event time), when we said so, and when it was last amended.
    happened_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    raised_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    last_signal_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    signal_count: Mapped[int] = mapped_column(Integer, default=1)
    # What makes a further signal the same incident. Unique while it may still grow; None after.
    active_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    # True when a biometric or watch-list match is its cause: a person must compare first (L-12).
    needs_comparison: Mapped[bool] = mapped_column(Boolean, default=False)
    comparison: Mapped[str | None] = mapped_column(String(16))
    # A person id, vehicle id or plate; None when nobody knows.
    subject_kind: Mapped[str | None] = mapped_column(String(16))
    subject: Mapped[str | None] = mapped_column(String(64))
    # Why it was raised: a code of the text catalogue and what fills its blanks.
    reason: Mapped[str] = mapped_column(String(64))
    reason_args: Mapped[dict[str, Any]] = mapped_column(JsonText)
    team: Mapped[str | None] = mapped_column(String(64))
    false_alarm_reason: Mapped[str | None] = mapped_column(String(32))
    resolution: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (Index("ix_incidents_queue", "compound", "state", "severity", "raised_at"),)


class Evidence(Base):
    """What an incident stands on: one row a signal, naming the event and the sighting behind it."""

    __tablename__ = "incident_evidence"

    # The signal's own id: the same signal again changes nothing.
    signal_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id"), index=True)
    rule: Mapped[str] = mapped_column(String(16))
    severity: Mapped[int] = mapped_column(Integer)
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    event_ids: Mapped[list[str]] = mapped_column(JsonText)
    sighting_ids: Mapped[list[str]] = mapped_column(JsonText)


class Transition(Base):
    """A step of the life cycle. Append-only; every step has an actor."""

    __tablename__ = "incident_transitions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id"))
    version: Mapped[int] = mapped_column(Integer)
    from_state: Mapped[str | None] = mapped_column(String(16))
    to_state: Mapped[State] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(32))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    reason: Mapped[str | None] = mapped_column(String(64))
    note: Mapped[str | None] = mapped_column(Text)

    # Two hands on the same version: the database lets one through.
    __table_args__ = (UniqueConstraint("incident", "version"),)

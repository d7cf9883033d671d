"""Incidents, their evidence, and every step they took."""

import datetime as dt
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from alerts.incidents.lifecycle import State
from storage import Base, JsonText, OwnedByCompound, UtcTime, tracing


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
    # Before `incident_keys` was: nothing reads it any more.
    active_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    # The dedupe key of the signal that raised it.
    key: Mapped[str | None] = mapped_column(String(200))
    # Which version of the compound's rules raised it, and how the compound was run then.
    rules_version: Mapped[str | None] = mapped_column(String(32))
    mode: Mapped[str] = mapped_column(String(16), default="normal", server_default="normal")
    # Held back by the alert budget: kept and counted, not shown in the queue. What is graver comes out.
    held: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    held_reason: Mapped[str | None] = mapped_column(String(64))
    # In which trace it was raised (see `storage.tracing`).
    trace: Mapped[str | None] = mapped_column(tracing.column(), default=tracing.current)
    # Part of it was linked by nearness in place and time, not by a face, plate or token.
    probable: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    # Devices that could not have seen: [{device, start, end, why}].
    blind: Mapped[list[dict[str, Any]]] = mapped_column(JsonText, default=list, server_default="[]")
    # When the present state's timer runs out, None where it has none; how often it did.
    due_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    escalation: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    merged_into: Mapped[str | None] = mapped_column(ForeignKey("incidents.id"))
    # Not security: for family, grid worker and neighbours (关爱).
    care: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    # An exercise (演练): flagged everywhere, and nothing of it leaves the house.
    drill: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
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

    __table_args__ = (
        Index("ix_incidents_queue", "compound", "state", "severity", "raised_at"),
        Index("ix_incidents_due", "due_at"),
        Index("ix_incidents_merged_into", "merged_into"),
        # What a look back filters and counts by: no row has to be read for a count.
        Index(
            "ix_incidents_history",
            *("compound", "raised_at", "id", "severity", "ring", "zone", "kind", "rule", "state"),
            *("false_alarm_reason", "device_id", "drill", "care"),
        ),
        # Of one person or plate, for a search.
        Index("ix_incidents_subject", "compound", "subject", "raised_at"),
    )


class IncidentKey(OwnedByCompound, Base):
    """What makes a further signal the same incident.

    A key has one open incident, an incident may have many keys. The primary key is the promise: eight
    writers of one key at once make one incident.
    """

    __tablename__ = "incident_keys"

    compound: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), index=True)
    # When it was last said, by event time: later than its window after that is another incident.
    last_at: Mapped[dt.datetime] = mapped_column(UtcTime)


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
    key: Mapped[str | None] = mapped_column(String(200))
    stage: Mapped[str] = mapped_column(String(32), default="", server_default="")
    # What `ringward why` explains it by: reason, parameters, window, blind devices, rules version.
    trace: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict, server_default="{}")
    # The incident it was raised under, where a merge has moved it here.
    moved_from: Mapped[str | None] = mapped_column(String(32))


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
    __table_args__ = (
        UniqueConstraint("incident", "version"),
        # Of all compounds: what was ended of late.
        Index("ix_incident_transitions_at", "at"),
    )


class IncidentAnswer(OwnedByCompound, Base):
    """What somebody saw who compared: same, not the same, cannot tell. Two answers are of two people."""

    __tablename__ = "incident_answers"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), index=True)
    compound: Mapped[str] = mapped_column(String(64))
    actor: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(32))
    answer: Mapped[str] = mapped_column(String(16))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)

    __table_args__ = (UniqueConstraint("incident", "actor"),)


class IncidentMerge(OwnedByCompound, Base):
    """One incident taken into another, with what it needs to be taken apart again."""

    __tablename__ = "incident_merges"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    target: Mapped[str] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), index=True)
    source: Mapped[str] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), index=True)
    # user id, or system with the rule that said so.
    actor: Mapped[str] = mapped_column(String(64))
    rule: Mapped[str | None] = mapped_column(String(16))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    note: Mapped[str | None] = mapped_column(Text)
    # State and severity of both before, and which keys went over.
    before: Mapped[dict[str, Any]] = mapped_column(JsonText)
    undone_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    undone_by: Mapped[str | None] = mapped_column(String(64))


class IncidentAside(OwnedByCompound, Base):
    """An incident that an operator put aside until a time: the row goes when it comes back."""

    __tablename__ = "incident_asides"

    incident: Mapped[str] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64), index=True)
    actor: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    until: Mapped[dt.datetime] = mapped_column(UtcTime)
    # A code of `aside.AsideReason`.
    reason: Mapped[str] = mapped_column(String(32))
    # As it was when it was put aside: what is graver, or has more behind it, comes back.
    severity: Mapped[int] = mapped_column(Integer)
    signal_count: Mapped[int] = mapped_column(Integer)


class MergeProposal(OwnedByCompound, Base):
    """Two incidents that may be one thing (R-X02); a person says."""

    __tablename__ = "merge_proposals"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64), index=True)
    first: Mapped[str] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), index=True)
    second: Mapped[str] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), index=True)
    reason: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # open, merged, refused; overtaken where one of them ended first.
    state: Mapped[str] = mapped_column(String(16), default="open", server_default="open")
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (UniqueConstraint("first", "second"),)

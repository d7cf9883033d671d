"""The event log and its outbox: what a device said, and what the bus still has to carry.

Both are written in one commit. Rows of the log are never changed by anyone but the
counter of re-sends; a correction is a row of its own.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    delete,
    literal_column,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage import tracing
from storage.base import Base
from storage.bulk import BulkInsert
from storage.columns import JsonText, UtcTime
from storage.tenancy import OwnedByCompound

SIGHT: Final = ("device.offline", "device.online", "device.tamper", "video.lost", "video.occlusion")
"""Types of events that say what a device's sight depends on."""
_OF_SIGHT: Final = f"type IN ({', '.join(repr(one) for one in SIGHT)})"


class EventRow(OwnedByCompound, Base):
    """One thing a device reported. Identity: device × its record id × device time."""

    __tablename__ = "events"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    device_id: Mapped[str] = mapped_column(String(64))
    record_id: Mapped[str] = mapped_column(String(200))
    type: Mapped[str] = mapped_column(String(64))
    ring: Mapped[str] = mapped_column(String(16))
    zone: Mapped[str] = mapped_column(String(64))
    lane: Mapped[str | None] = mapped_column(String(64))
    direction: Mapped[str | None] = mapped_column(String(8))
    # Three clocks: what the device wrote, that minus the device's known drift, and ours.
    device_time: Mapped[dt.datetime] = mapped_column(UtcTime)
    corrected_time: Mapped[dt.datetime] = mapped_column(UtcTime)
    received_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    late: Mapped[bool] = mapped_column(Integer)
    # Codes of what was odd but no reason to refuse, for the operator: clock_skew, resent …
    marks: Mapped[list[str]] = mapped_column(JsonText)
    # Everything decoded that has no column: credential, plate, match, pictures, attributes.
    body: Mapped[dict[str, Any]] = mapped_column(JsonText)
    content_hash: Mapped[str] = mapped_column(String(32))
    resent: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    # How far the thing had come when it was first told of; None for what is told once.
    revision: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        Index("ix_events_compound_time", "compound", "corrected_time"),
        Index("ix_events_device_time", "device_id", "corrected_time"),
        # Records that came late keep their time from when they came; there are few.
        Index(
            "ix_events_late",
            "compound",
            "received_at",
            sqlite_where=text("late = 1"),
            postgresql_where=text("late = 1"),
        ),
        # What devices' sight depends on: a few among a million, asked for over weeks.
        Index(
            "ix_events_sight",
            "compound",
            "corrected_time",
            sqlite_where=text(_OF_SIGHT),
            postgresql_where=text(_OF_SIGHT),
        ),
    )


def of_sight() -> ColumnElement[bool]:
    """Events that sight depends on. Said as their small index says it, which bound values would not find."""
    return EventRow.type.in_([literal_column(repr(one)) for one in SIGHT])


class EventAmendment(OwnedByCompound, Base):
    """What became known of an event after it was stored: the newest one is what holds now."""

    __tablename__ = "event_amendments"

    event_id: Mapped[str] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    compound: Mapped[str] = mapped_column(String(64))
    # What it turned out to be: a plate that could not be read may be read in the next picture.
    type: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    marks: Mapped[list[str]] = mapped_column(JsonText)
    body: Mapped[dict[str, Any]] = mapped_column(JsonText)
    content_hash: Mapped[str] = mapped_column(String(32))

    __table_args__ = (Index("ix_event_amendments_compound", "compound", "received_at"),)


class OutboxRow(Base):
    """A message that the bus has not confirmed yet; the relay deletes it when it has."""

    __tablename__ = "outbox"

    seq: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    # The bus drops a second message of the same id, so a crash between publish and delete is
    # harmless. Not unique here: what is announced is made unique by the row it announces.
    message_id: Mapped[str] = mapped_column(String(96))
    subject: Mapped[str] = mapped_column(Text)
    # Not sealed: it is on its way to the bus, and gone in a moment (see `storage.rotation`).
    payload: Mapped[bytes] = mapped_column(LargeBinary, info={"plain": True})
    # Where in a trace it was written (see `storage.tracing`); travels as a header.
    trace: Mapped[str | None] = mapped_column(tracing.column(), default=tracing.current)

    __table_args__ = ({"sqlite_autoincrement": True},)


EVENT_COLUMNS = (
    "id",
    "compound",
    "device_id",
    "record_id",
    "type",
    "ring",
    "zone",
    "lane",
    "direction",
    "device_time",
    "corrected_time",
    "received_at",
    "late",
    "marks",
    "body",
    "content_hash",
    "resent",
    "revision",
)
_insert_events = BulkInsert(EventRow.__table__, EVENT_COLUMNS)
_insert_outbox = BulkInsert(OutboxRow.__table__, ("message_id", "subject", "payload", "trace"))


def store(session: Session, rows: Sequence[tuple[Any, ...]]) -> None:
    """Adds events to the log, each with its values in the order of `EVENT_COLUMNS`."""
    _insert_events.execute(session, rows)


def enqueue(session: Session, messages: Sequence[tuple[str, str, bytes]]) -> None:
    """Adds (message id, subject, payload) to the outbox of the running transaction."""
    trace = tracing.current()
    _insert_outbox.execute(session, [(*message, trace) for message in messages])


def enqueue_of_events(session: Session, messages: Sequence[tuple[str, str, str, bytes]]) -> None:
    """The same of (event id, message id, subject, payload): each belongs to its event's trace."""
    _insert_outbox.execute(
        session, [(*message, tracing.of_event(event_id)) for event_id, *message in messages]
    )


def take_outbox(session: Session, limit: int) -> Sequence[tuple[int, str, str, bytes, str | None]]:
    """The oldest waiting messages as (seq, message id, subject, payload, trace), oldest first."""
    query = select(OutboxRow.seq, OutboxRow.message_id, OutboxRow.subject, OutboxRow.payload, OutboxRow.trace)
    rows = session.execute(query.order_by(OutboxRow.seq).limit(limit))
    return [(row.seq, row.message_id, row.subject, row.payload, row.trace) for row in rows]


def clear_outbox(session: Session, seqs: Sequence[int]) -> None:
    """Removes messages that the bus has confirmed."""
    session.execute(delete(OutboxRow).where(OutboxRow.seq.in_(seqs)))

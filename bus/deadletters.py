"""Dead letters: input that was refused, with the reason and, where we got them, the raw bytes."""

import datetime as dt
from typing import Any

from sqlalchemy import Index, Integer, String, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage import Base, Encrypted, JsonText, UtcTime, new_id


class DeadLetter(Base):
    """One refused message. `reason` is a code with a text in the console's catalogue."""

    __tablename__ = "dead_letters"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    # mqtt (refused by ingest), broker (refused by the broker itself), bus (a worker gave up).
    source: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(64))
    # Facts for the reader: the field that is wrong, the size, the limit.
    detail: Mapped[str] = mapped_column(String(500))
    topic: Mapped[str] = mapped_column(String(500))
    compound: Mapped[str | None] = mapped_column(String(64))
    device_id: Mapped[str | None] = mapped_column(String(64))
    received_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    size: Mapped[int] = mapped_column(Integer)
    # Sealed, since a refused message may carry a face; None when only the broker saw it.
    raw: Mapped[bytes | None] = mapped_column(Encrypted)
    # How often the broker said the same within minutes; what reached ingest has a row each.
    count: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    context: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)
    replayed_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (Index("ix_dead_letters_received", "received_at"),)


def letter(
    source: str,
    reason: str,
    at: dt.datetime,
    *,
    detail: str = "",
    topic: str = "",
    compound: str | None = None,
    device_id: str | None = None,
    raw: bytes | None = None,
    context: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A new dead letter's columns, cut to what they hold."""
    return {
        "id": new_id(),
        "source": source,
        "reason": reason,
        # A device's own words may hold what PostgreSQL has no text for.
        "detail": detail[:500].replace("\0", "\ufffd"),
        "topic": topic[:500],
        "compound": compound[:64] if compound else None,
        "device_id": device_id[:64] if device_id else None,
        "received_at": at,
        "size": len(raw) if raw is not None else 0,
        "raw": raw,
        "count": 1,
        "context": context or {},
        "replayed_at": None,
    }


def record(session: Session, letters: list[dict[str, Any]]) -> None:
    """Writes dead letters in one statement; the keys are the columns of `DeadLetter`."""
    if letters:
        session.execute(insert(DeadLetter), letters)

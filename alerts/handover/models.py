"""Hand-overs as they were generated, who signed them, and what was said about them."""

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from alerts.handover.rules import EntryKind, Side
from storage import Base, EncryptedText, JsonText, OwnedByCompound, UtcTime


class Handover(OwnedByCompound, Base):
    """交接班: what the control room was like when a shift ended. Its facts never change."""

    __tablename__ = "handovers"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    since: Mapped[dt.datetime] = mapped_column(UtcTime)
    until: Mapped[dt.datetime] = mapped_column(UtcTime)
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # `system` at the end of a shift, else the user who asked.
    made_by: Mapped[str] = mapped_column(String(64))
    # Codes, counts, ids of things and times; nobody's name, plate or picture.
    facts: Mapped[dict[str, Any]] = mapped_column(JsonText)
    # SHA-256 of the facts, which the audit log holds too.
    digest: Mapped[str] = mapped_column(String(64))
    # Of facts and notes together, once the first has signed: what both sign.
    sealed: Mapped[str | None] = mapped_column(String(64))
    sealed_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # When the leaders were told that it is not signed.
    missed_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    # The end of a shift is handed over once, however many processes notice it.
    __table_args__ = (UniqueConstraint("compound", "until"), Index("ix_handovers_made_at", "made_at"))


class HandoverSignature(OwnedByCompound, Base):
    """One of the two has signed. The database lets a side be signed once, and nobody sign both."""

    __tablename__ = "handover_signatures"

    handover: Mapped[str] = mapped_column(ForeignKey("handovers.id", ondelete="CASCADE"), primary_key=True)
    side: Mapped[Side] = mapped_column(String(16), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    user: Mapped[str] = mapped_column(String(32))
    responder: Mapped[str | None] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(32))
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)

    __table_args__ = (UniqueConstraint("handover", "user"),)


class HandoverEntry(OwnedByCompound, Base):
    """A note, a disagreement or an addendum: kept as it was written."""

    __tablename__ = "handover_entries"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    handover: Mapped[str] = mapped_column(ForeignKey("handovers.id", ondelete="CASCADE"), index=True)
    compound: Mapped[str] = mapped_column(String(64))
    kind: Mapped[EntryKind] = mapped_column(String(16))
    side: Mapped[Side | None] = mapped_column(String(16))
    author: Mapped[str] = mapped_column(String(32))
    role: Mapped[str] = mapped_column(String(32))
    text: Mapped[str] = mapped_column(EncryptedText)
    # SHA-256 of the text, which the audit log holds too.
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)

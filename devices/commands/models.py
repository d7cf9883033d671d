"""A command and where it stands."""

import datetime as dt
import enum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, JsonText, OwnedByCompound, UtcTime, tracing


class CommandState(enum.StrEnum):
    """Where a command stands. Only `pending` and `sent` are still on their way."""

    PENDING = "pending"
    SENT = "sent"
    ACKED = "acked"
    FAILED = "failed"
    # Sent, and nobody knows what came of it: somebody has to look. Never sent again by itself.
    UNCERTAIN = "uncertain"


class DeviceCommand(OwnedByCompound, Base):
    """What somebody asked a device to do."""

    __tablename__ = "device_commands"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"))
    device: Mapped[str] = mapped_column(ForeignKey("devices.id"))
    # One of `devices.adapters.contract.COMMANDS`.
    kind: Mapped[str] = mapped_column(String(16))
    arguments: Mapped[dict[str, Any]] = mapped_column(JsonText)
    state: Mapped[CommandState] = mapped_column(String(16))
    # The user, the rule or the round that asked, and why; codes and words, no personal data.
    asked_by: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200))
    # Two requests under one key are one command.
    key: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    sent_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # When silence becomes uncertainty.
    answer_by: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    settled_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # The device's own code and words, or ours: expired, device_offline, no_answer.
    code: Mapped[str | None] = mapped_column(String(64))
    text: Mapped[str | None] = mapped_column(String(500))
    # In which trace it was asked for (see `storage.tracing`).
    trace: Mapped[str | None] = mapped_column(tracing.column(), default=tracing.current)

    __table_args__ = (
        UniqueConstraint("compound", "key"),
        Index("ix_device_commands_state", "state", "expires_at"),
        Index("ix_device_commands_asked", "compound", "asked_at"),
        Index("ix_device_commands_device", "device", "asked_at"),
        Index("ix_device_commands_answer", "answer_by"),
    )

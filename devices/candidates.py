"""Senders that nobody has registered: seen, told to the installer, and believed in nothing."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final, cast

from sqlalchemy import BigInteger, String, Table, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage import Base, JsonText, UtcTime

MOST: Final = 2000
"""Candidates that are remembered: whoever invents names fills no disk."""
_NO_GATEWAY: Final = ""


class DeviceCandidate(Base):
    """A name that spoke without being registered, in its vendor's words."""

    __tablename__ = "device_candidates"

    adapter: Mapped[str] = mapped_column(String(32), primary_key=True)
    # The registered gateway it came through; empty where it spoke for itself.
    gateway: Mapped[str] = mapped_column(String(64), primary_key=True)
    external_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    first_seen: Mapped[dt.datetime] = mapped_column(UtcTime)
    last_seen: Mapped[dt.datetime] = mapped_column(UtcTime)
    count: Mapped[int] = mapped_column(BigInteger, default=1)
    # What it says of itself: address, firmware, model. Never believed.
    facts: Mapped[dict[str, Any]] = mapped_column(JsonText)


_candidates = cast("Table", DeviceCandidate.__table__)


def note(
    session: Session,
    adapter: str,
    gateway: str | None,
    external_id: str,
    at: dt.datetime,
    facts: Mapping[str, Any],
) -> None:
    """Counts a candidate up, or takes it down for the first time while there is room."""
    key = {"adapter": adapter, "gateway": gateway or _NO_GATEWAY, "external_id": external_id[:128]}
    where = [_candidates.c[name] == value for name, value in key.items()]
    again: dict[str, Any] = {"last_seen": at, "count": _candidates.c.count + 1}
    if facts:
        again["facts"] = dict(facts)
    if session.execute(update(_candidates).where(*where).values(again).returning(_candidates.c.count)).all():
        return
    if (session.scalar(select(func.count()).select_from(_candidates)) or 0) >= MOST:
        return
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    values = {**key, "first_seen": at, "last_seen": at, "count": 1, "facts": dict(facts)}
    session.execute(dialect.insert(_candidates).values(values).on_conflict_do_nothing())


def forget(session: Session, adapter: str, gateway: str | None, external_id: str) -> None:
    """Takes a candidate off the list, once it is registered or turned away."""
    session.execute(
        delete(_candidates).where(
            _candidates.c.adapter == adapter,
            _candidates.c.gateway == (gateway or _NO_GATEWAY),
            _candidates.c.external_id == external_id[:128],
        )
    )

"""What a device was seen to do while nobody believed it yet: for the installer who stands before it.

Its messages lie with the dead letters meanwhile; here is only what tells whether it works.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import BigInteger, Float, ForeignKey, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage import Base, JsonText, UtcTime

MOST_TYPES: Final = 40
"""Event types that are counted for one device; there are hardly more."""
WALK_WITHIN: Final = dt.timedelta(minutes=10)
"""How long after somebody said that they walk through the next event counts as theirs."""


class DeviceObservation(Base):
    """One row a device: what it has shown of itself since it was last put into quarantine."""

    __tablename__ = "device_observations"

    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    first_heard_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    last_heard_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    heartbeat_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # Seconds between its last two signs of life.
    heartbeat_s: Mapped[float | None] = mapped_column(Float)
    # Event type → how often.
    types: Mapped[dict[str, int]] = mapped_column(JsonText, default=dict)
    picture_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # Device time minus received time of its last live message, in milliseconds.
    clock_offset_ms: Mapped[int | None] = mapped_column(BigInteger)
    # When something came that only its own credential lets through.
    signed_in_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # The direction test: which way somebody said they walk, and what came of it.
    walk_asked: Mapped[str | None] = mapped_column(String(8))
    walk_asked_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    walk_asked_by: Mapped[str | None] = mapped_column(String(64))
    walk_heard_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    walk_heard_type: Mapped[str | None] = mapped_column(String(64))
    # What the device itself said; None where it says no direction.
    walk_said: Mapped[str | None] = mapped_column(String(8))
    # What it says of itself: serial, model, firmware, address. Compared, never believed.
    facts: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)


@dataclass(frozen=True, slots=True)
class Heard:
    """What one message showed of one device.

    `live` is False for what the broker remembered and for what the device itself calls late:
    it proves that the device exists, not how its clock goes. `directions` has an entry for each
    event, (type, what the device said). `proved`: only this device's credential could send it.
    """

    device_id: str
    at: dt.datetime
    live: bool = True
    sign_of_life: bool = False
    directions: tuple[tuple[str, str | None], ...] = ()
    picture: bool = False
    clock_offset: dt.timedelta | None = None
    proved: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


def observed(session: Session, heard: Iterable[Heard]) -> None:
    """Adds what messages showed, in the order they came."""
    rows: dict[str, DeviceObservation] = {}
    for one in heard:
        row = rows.get(one.device_id)
        if row is None:
            row = rows[one.device_id] = row_of(session, one.device_id)
        _add(row, one)


def row_of(session: Session, device_id: str) -> DeviceObservation:
    """The device's row, made where there is none."""
    row = session.get(DeviceObservation, device_id)
    if row is None:
        row = DeviceObservation(device_id=device_id, types={}, facts={})
        session.add(row)
    return row


def start_walk(session: Session, device_id: str, direction: str, at: dt.datetime, who: str) -> None:
    """Somebody is about to walk through, `in` or `out`: the device's next event answers for it."""
    row = row_of(session, device_id)
    row.walk_asked, row.walk_asked_at, row.walk_asked_by = direction, at, who
    row.walk_heard_at = row.walk_heard_type = row.walk_said = None


def forget(session: Session, device_id: str) -> None:
    """Begins anew: what a device showed before it went into quarantine counts no more.

    Its facts about itself stay, for they are what a changed device is known by.
    """
    row = session.get(DeviceObservation, device_id)
    if row is None:
        return
    facts = row.facts
    session.delete(row)
    session.flush()
    session.add(DeviceObservation(device_id=device_id, types={}, facts=facts))


def _add(row: DeviceObservation, heard: Heard) -> None:
    row.first_heard_at = row.first_heard_at or heard.at
    row.last_heard_at = heard.at
    if heard.picture:
        row.picture_at = heard.at
    if heard.proved:
        row.signed_in_at = heard.at
    if heard.facts:
        row.facts = row.facts | dict(heard.facts)
    if heard.directions:
        row.types = _counted(row.types, [name for name, _ in heard.directions])
    if not heard.live:
        return
    if heard.clock_offset is not None:
        row.clock_offset_ms = round(heard.clock_offset / dt.timedelta(milliseconds=1))
    if heard.sign_of_life:
        if row.heartbeat_at is not None and heard.at > row.heartbeat_at:
            row.heartbeat_s = (heard.at - row.heartbeat_at).total_seconds()
        row.heartbeat_at = heard.at
    if heard.directions and _waits_for_walker(row, heard.at):
        row.walk_heard_at = heard.at
        row.walk_heard_type, row.walk_said = heard.directions[0]


def _waits_for_walker(row: DeviceObservation, at: dt.datetime) -> bool:
    asked = row.walk_asked_at
    return asked is not None and row.walk_heard_at is None and asked <= at <= asked + WALK_WITHIN


def _counted(types: Mapping[str, int], more: Iterable[str]) -> dict[str, int]:
    counts = dict(types)
    for name in more:
        if name in counts or len(counts) < MOST_TYPES:
            counts[name] = counts.get(name, 0) + 1
    return counts

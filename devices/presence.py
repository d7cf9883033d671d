"""Presence: a device comes, goes, or falls silent. Each change is one event, whoever notices it."""

import datetime as dt
from typing import cast

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from bus import subjects
from bus.messages import DeviceChanged, EventStored, encode
from devices.directory import DeviceFacts
from devices.models import Device, DeviceStatus
from storage import content_id
from storage.events import EventRow, enqueue

_status = cast("Table", DeviceStatus.__table__)
# Built once: both run with every batch, and cost more to put together than to execute.
_SEEN = (
    update(_status).where(_status.c.device_id == bindparam("device")).values(last_seen=bindparam("moment"))
)
_MOVE = (
    update(_status)
    .where(_status.c.device_id == bindparam("device"), _status.c.online == bindparam("before"))
    .values(online=bindparam("after"), since=bindparam("at"))
    .returning(_status.c.device_id)
)

# Missed heartbeats until a device counts as offline.
MISSED = 3


def ensure_rows(session: Session, now: dt.datetime) -> None:
    """Gives every registered device a status row: never seen, hence offline."""
    have = set(session.scalars(select(DeviceStatus.device_id)))
    rows = [
        {"device_id": device_id, "online": False, "since": now, "last_seen": None, "clock_offset_ms": None}
        for device_id in session.scalars(select(Device.id))
        if device_id not in have
    ]
    if rows:
        session.execute(insert(DeviceStatus), rows)


def seen(session: Session, last_seen: dict[str, dt.datetime]) -> None:
    """Notes signs of life."""
    for device_id, moment in last_seen.items():
        session.execute(_SEEN, {"device": device_id, "moment": moment})


def note_clock(session: Session, device_id: str, offset: dt.timedelta) -> None:
    """Keeps how far the device's clock was off at its last heartbeat."""
    session.execute(
        update(DeviceStatus)
        .where(DeviceStatus.device_id == device_id)
        .values(clock_offset_ms=round(offset / dt.timedelta(milliseconds=1)))
    )


def change(session: Session, device: DeviceFacts, at: dt.datetime, *, online: bool, cause: str) -> bool:
    """Moves a device to online or offline; False when it was there already.

    `cause` is heartbeat, event, last_will or silence. The database decides who was first,
    so a last will and a missed heartbeat together make one event.
    """
    moved = session.execute(
        _MOVE, {"device": device.device_id, "before": not online, "after": online, "at": at}
    ).first()
    if moved is None:
        return False
    event_type = "device.online" if online else "device.offline"
    message = EventStored(
        id=content_id(device.device_id, event_type, at.isoformat()),
        compound=device.compound,
        device_id=device.device_id,
        type=event_type,
        ring=device.ring,
        zone=device.zone,
        # A last will carries no time: ours is the only one there is.
        device_time=at,
        at=at,
        received_at=at,
        lane=device.lane,
        attributes={"cause": cause},
    )
    session.execute(
        insert(EventRow).values(
            id=message.id,
            compound=message.compound,
            device_id=message.device_id,
            record_id=f"{event_type}@{at.isoformat()}",
            type=event_type,
            ring=message.ring,
            zone=message.zone,
            lane=message.lane,
            direction=None,
            device_time=at,
            corrected_time=at,
            received_at=at,
            late=False,
            marks=[],
            body={"attributes": message.attributes},
            content_hash="",
        )
    )
    changed = DeviceChanged(device_id=device.device_id, compound=device.compound, online=online, at=at)
    enqueue(
        session,
        [
            (message.id, subjects.event(device.compound, event_type), encode(message)),
            (f"device:{message.id}", subjects.device(device.compound), encode(changed)),
        ],
    )
    return True


def sweep(
    session: Session, devices: dict[str, DeviceFacts], now: dt.datetime, watching_since: dt.datetime
) -> list[str]:
    """Declares offline who has missed three heartbeats; returns their ids.

    `watching_since` is when ingest began to listen: silence before that was our own.
    """
    silent = [
        device_id
        for device_id, last_seen in session.execute(
            select(DeviceStatus.device_id, DeviceStatus.last_seen).where(DeviceStatus.online)
        )
        if device_id in devices
        and now - max(last_seen or watching_since, watching_since)
        > dt.timedelta(seconds=MISSED * devices[device_id].heartbeat_s)
    ]
    return [
        device_id
        for device_id in silent
        if change(session, devices[device_id], now, online=False, cause="silence")
    ]

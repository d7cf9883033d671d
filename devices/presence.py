"""Presence: a device comes, goes, or falls silent. Each change is one event, whoever notices it."""

import datetime as dt
from collections.abc import Iterable
from typing import Final, cast

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from bus import subjects
from bus.messages import DeviceChanged, encode
from devices.directory import DeviceFacts
from devices.models import Device, DeviceStatus
from devices.notices import notice
from storage.events import enqueue

GATEWAY: Final = "gateway"
"""The cause of what happens to a device because of the gateway that speaks for it."""

_status = cast("Table", DeviceStatus.__table__)
# Built once: both run with every batch, and cost more to put together than to execute.
_SEEN = (
    update(_status).where(_status.c.device_id == bindparam("device")).values(last_seen=bindparam("moment"))
)
_MOVE = (
    update(_status)
    .where(_status.c.device_id == bindparam("device"), _status.c.online == bindparam("before"))
    .values(online=bindparam("after"), since=bindparam("at"), cause=bindparam("why"))
    .returning(_status.c.device_id)
)
# A gateway that is back brings back what its going took away, not what was gone by itself.
_RETURN = _MOVE.where(_status.c.cause == GATEWAY)

# Heartbeats that may be missing until a device counts as offline: less than the 2.5 within which it
# has to be told, for the sweep comes round every second.
MISSED = 2.25


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


def change(
    session: Session,
    device: DeviceFacts,
    at: dt.datetime,
    *,
    online: bool,
    cause: str,
    behind: Iterable[DeviceFacts] = (),
) -> bool:
    """Moves a device to online or offline; False when it was there already.

    `cause` is heartbeat, event, last_will or silence. The database decides who was first,
    so a last will and a missed heartbeat together make one event. `behind` are the devices
    that a gateway speaks for: they go with it, and come back with it.
    """
    if not _move(session, device, at, online=online, cause=cause):
        return False
    for one in behind:
        if one.enabled:
            _move(session, one, at, online=online, cause=GATEWAY)
    return True


def _move(session: Session, device: DeviceFacts, at: dt.datetime, *, online: bool, cause: str) -> bool:
    statement = _RETURN if online and cause == GATEWAY else _MOVE
    asked = {"device": device.device_id, "before": not online, "after": online, "at": at, "why": cause}
    if session.execute(statement, asked).first() is None:
        return False
    event_type = "device.online" if online else "device.offline"
    message = notice(session, device, event_type, at, {"cause": cause})
    changed = DeviceChanged(device_id=device.device_id, compound=device.compound, online=online, at=at)
    enqueue(session, [(f"device:{message.id}", subjects.device(device.compound), encode(changed))])
    return True


def sweep(
    session: Session, devices: dict[str, DeviceFacts], now: dt.datetime, watching_since: dt.datetime
) -> list[str]:
    """Declares offline who has missed its heartbeats; returns their ids.

    `watching_since` is when ingest began to listen: silence before that was our own. A device
    that gives no heartbeats (`heartbeat_s` 0) is never taken for silent.
    """
    silent = [
        devices[row.device_id]
        for row in session.execute(
            select(DeviceStatus.device_id, DeviceStatus.last_seen, DeviceStatus.since).where(
                DeviceStatus.online
            )
        )
        if row.device_id in devices
        and _is_silent(
            devices[row.device_id], now - max(row.last_seen or row.since, row.since, watching_since)
        )
    ]
    # Gateways first: what hangs behind a dead one is gone because of it.
    silent.sort(key=lambda device: device.gateway is not None)
    behind: dict[str | None, list[DeviceFacts]] = {}
    for device in devices.values():
        behind.setdefault(device.gateway, []).append(device)
    return [
        device.device_id
        for device in silent
        if change(
            session, device, now, online=False, cause="silence", behind=behind.get(device.device_id, ())
        )
    ]


def _is_silent(device: DeviceFacts, silence: dt.timedelta) -> bool:
    return device.heartbeat_s > 0 and silence > dt.timedelta(seconds=MISSED * device.heartbeat_s)

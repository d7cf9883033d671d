"""A device loses its standing by itself, and never gains any: silent for long, or other hardware.

What stands in its place then says so as a quarantined device until somebody has looked.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from devices.directory import DeviceFacts, facts_of
from devices.models import Device, DeviceKind, DeviceStatus, Stage
from devices.notices import notice
from devices.observations import DeviceObservation, row_of
from devices.onboarding import Reason
from devices.stages import By, step_back

_SYSTEM: Final = By("system", "system")
_TELLING: Final = ("serial", "mac", "model", "firmware", "ip")
PINNED: Final = ("serial", "mac", "model")
"""Facts of which a change means other hardware, where nothing else is set."""


def sweep_silent(session: Session, now: dt.datetime, after: dt.timedelta) -> list[str]:
    """Puts back who has been offline for so long; returns their ids.

    Offline is what ingest noticed while it listened, so an outage of ours counts for nobody.
    Sensors are left out: a smoke detector that never alarms is a good one, and its first alarm
    must not lie with the dead letters.
    """
    query = (
        select(Device)
        .join(DeviceStatus, DeviceStatus.device_id == Device.id)
        .where(
            Device.enabled,
            Device.stage == Stage.APPROVED,
            Device.kind != DeviceKind.SENSOR,
            DeviceStatus.online.is_(False),
            DeviceStatus.since < now - after,
        )
        .order_by(Device.id)
    )
    moved = []
    for device in session.scalars(query).all():
        if device.approved_at is not None and device.approved_at > now - after:
            # Approved while it was away: it has its time from then on.
            continue
        fall_back(session, device, Reason.SILENT, now)
        moved.append(device.id)
    return moved


def telling(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Of what a device says of itself, what tells which one it is; a battery does not."""
    return {name: facts[name] for name in _TELLING if name in facts}


def compare(
    session: Session, device: DeviceFacts, said: Mapping[str, Any], now: dt.datetime, pinned: Collection[str]
) -> tuple[str, ...]:
    """Notes what a device says of itself; back it goes when something pinned has changed.

    Returns what has changed, of the pinned facts only.
    """
    row: DeviceObservation = row_of(session, device.device_id)
    changed = tuple(
        sorted(name for name in pinned if name in said and row.facts.get(name, said[name]) != said[name])
    )
    if any(row.facts.get(name) != value for name, value in said.items()):
        row.facts = row.facts | dict(said)
    if changed:
        session.flush()
        fall_back(session, session.get_one(Device, device.device_id), Reason.CHANGED, now, changed)
    return changed


def fall_back(
    session: Session, device: Device, reason: Reason, now: dt.datetime, facts: tuple[str, ...] = ()
) -> None:
    """Back into quarantine by what was noticed, told as an event so that somebody comes to look."""
    step_back(session, device, reason, now, _SYSTEM)
    session.flush()
    known = facts_of(session, device.id)
    assert known is not None
    attributes: dict[str, Any] = {"cause": "quarantined", "reason": str(reason)}
    if facts:
        attributes["changed"] = list(facts)
    notice(session, known, "device.fault", now, attributes)

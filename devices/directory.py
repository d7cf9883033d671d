"""The device registry as ingest needs it: in memory, re-read when it is old."""

import datetime as dt
import threading
import time
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import select

from devices.models import Device
from registry.models import Compound, Zone
from storage import Database

# A new device may wait this long, in seconds, before ingest knows it.
MAX_AGE_S = 2.0


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What the registry says of a device; the device itself is not asked."""

    device_id: str
    compound: str
    zone: str
    ring: str
    kind: str
    lane: str | None
    direction: str | None
    heartbeat_s: int
    enabled: bool
    time_zone: dt.tzinfo


class DeviceDirectory:
    """A snapshot of all devices, safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._devices: dict[str, DeviceFacts] = {}
        self._read_at = float("-inf")

    def get(self, device_id: str) -> DeviceFacts | None:
        """The device's facts, or None when nobody has registered it."""
        if time.monotonic() - self._read_at > MAX_AGE_S:
            self.refresh()
        return self._devices.get(device_id)

    def all(self) -> list[DeviceFacts]:
        """Every registered device."""
        if time.monotonic() - self._read_at > MAX_AGE_S:
            self.refresh()
        return list(self._devices.values())

    def refresh(self) -> None:
        """Reads the registry again."""
        with self._lock, self._database.read() as session:
            rows = session.execute(
                select(Device, Zone.ring, Compound.time_zone)
                .join(Zone, Zone.id == Device.zone)
                .join(Compound, Compound.id == Device.compound)
            )
            self._devices = {
                device.id: DeviceFacts(
                    device.id,
                    device.compound,
                    device.zone,
                    str(ring),
                    str(device.kind),
                    device.lane,
                    device.direction,
                    device.heartbeat_s,
                    device.enabled,
                    ZoneInfo(time_zone),
                )
                for device, ring, time_zone in rows
            }
            self._read_at = time.monotonic()

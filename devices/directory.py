"""The device registry as ingest needs it: in memory, re-read when it is old."""

import datetime as dt
import threading
import time
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from devices.models import Device, Stage
from registry.models import Compound, Ring, Zone
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
    adapter: str = "native"
    external_id: str | None = None
    gateway: str | None = None
    stage: str = Stage.APPROVED
    # May publish on topics that its vendor's devices share.
    shared_topics: bool = False

    @property
    def name_on_wire(self) -> str:
        """What its vendor's messages call it."""
        return self.external_id or self.device_id

    @property
    def trusted(self) -> bool:
        """Whether what it says is believed."""
        return self.enabled and self.stage == Stage.APPROVED


class DeviceDirectory:
    """A snapshot of all devices, safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._devices: dict[str, DeviceFacts] = {}
        # (adapter, name on the wire) of those that speak for themselves, (gateway, name) of the others.
        self._speaking: dict[tuple[str, str], DeviceFacts] = {}
        self._behind: dict[tuple[str, str], DeviceFacts] = {}
        self._hanging: dict[str, list[DeviceFacts]] = {}
        self._read_at = float("-inf")

    def get(self, device_id: str) -> DeviceFacts | None:
        """The device's facts, or None when nobody has registered it."""
        self._renew()
        return self._devices.get(device_id)

    def speaking(self, adapter: str, external_id: str) -> DeviceFacts | None:
        """The device or gateway that a vendor's message names as its sender."""
        self._renew()
        return self._speaking.get((adapter, external_id))

    def behind(self, gateway: str, external_id: str) -> DeviceFacts | None:
        """The device that a gateway's message is about."""
        self._renew()
        return self._behind.get((gateway, external_id))

    def hanging_on(self, gateway: str) -> list[DeviceFacts]:
        """The devices that a gateway speaks for."""
        self._renew()
        return self._hanging.get(gateway, [])

    def all(self) -> list[DeviceFacts]:
        """Every registered device."""
        self._renew()
        return list(self._devices.values())

    def _renew(self) -> None:
        if time.monotonic() - self._read_at > MAX_AGE_S:
            self.refresh()

    def expire(self) -> None:
        """Has the registry read again before the next answer."""
        self._read_at = float("-inf")

    def refresh(self) -> None:
        """Reads the registry again."""
        with self._lock, self._database.read() as session:
            self._devices = every(session)
            facts = self._devices.values()
            self._speaking = {(one.adapter, one.name_on_wire): one for one in facts if one.gateway is None}
            self._behind = {(one.gateway, one.name_on_wire): one for one in facts if one.gateway is not None}
            self._hanging = {}
            for one in facts:
                if one.gateway is not None:
                    self._hanging.setdefault(one.gateway, []).append(one)
            self._read_at = time.monotonic()


def every(session: Session) -> dict[str, DeviceFacts]:
    """What the registry says of each device now, by its id."""
    return {row[0].id: _facts(*row) for row in session.execute(_query())}


def facts_of(session: Session, device_id: str) -> DeviceFacts | None:
    """What the registry says of one device now; for those who have no directory at hand."""
    row = session.execute(_query().where(Device.id == device_id)).first()
    return None if row is None else _facts(*row)


def _query() -> Select[Device, Ring, str]:
    return (
        select(Device, Zone.ring, Compound.time_zone)
        .join(Zone, Zone.id == Device.zone)
        .join(Compound, Compound.id == Device.compound)
    )


def _facts(device: Device, ring: Ring, time_zone: str) -> DeviceFacts:
    return DeviceFacts(
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
        device.adapter,
        device.external_id,
        device.gateway,
        str(device.stage),
        device.shared_topics,
    )

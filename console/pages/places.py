"""Names for the ids of places and devices, read once a page."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from devices.models import Device
from registry.models import Zone


@dataclass(frozen=True, slots=True)
class Names:
    """What the compound calls its zones and devices; an id nobody knows stands for itself."""

    zones: Mapping[str, str]
    devices: Mapping[str, str]

    def zone(self, zone_id: str) -> str:
        return self.zones.get(zone_id, zone_id)

    def device(self, device_id: str) -> str:
        return self.devices.get(device_id, device_id)


def names(session: Session, compound: str) -> Names:
    zones = session.execute(select(Zone.id, Zone.name).where(Zone.compound == compound))
    devices = session.execute(select(Device.id, Device.name).where(Device.compound == compound))
    return Names({row.id: row.name for row in zones}, {row.id: row.name for row in devices})

"""What is seen at this moment: which devices somebody has laid hands on, and which zones nothing sees.

The registry knows in which zone a device looks, and not where to: no angle and no reach is drawn
that nobody has written down. A zone counts as seen while one device in it works.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.pages.planshapes import DeviceSpot, Sight, ZoneShape
from storage.events import EventRow

HINDERED: Final = ("device.tamper", "video.occlusion", "video.lost")
# A camera that is covered says so again and again; `alerts.rules.coverage` believes it for as long.
_BELIEVED: Final = dt.timedelta(minutes=10)
# What is heard or speaks for others notices nothing itself.
_BLIND_KINDS: Final = frozenset({"siren", "gateway"})


def hindered(session: Session, compound: str, now: dt.datetime) -> frozenset[str]:
    """Devices that are covered, turned away or opened, as they last said within ten minutes."""
    rows = session.execute(
        select(EventRow.device_id, EventRow.type, EventRow.body)
        .where(
            EventRow.compound == compound,
            EventRow.corrected_time > now - _BELIEVED,
            EventRow.type.in_((*HINDERED, "device.online")),
        )
        .order_by(EventRow.corrected_time, EventRow.id)
    )
    last = {
        row.device_id: row.type in HINDERED and not ((row.body or {}).get("attributes") or {}).get("ended")
        for row in rows
    }
    return frozenset(device for device, hampered in last.items() if hampered)


def sight_of(zones: Iterable[ZoneShape], devices: Iterable[DeviceSpot]) -> Mapping[str, Sight]:
    """Whether something that works looks at each zone."""
    found: dict[str, Sight] = {zone.id: "unwatched" for zone in zones}
    for device in devices:
        if device.zone not in found or device.kind in _BLIND_KINDS:
            continue
        if device.online and not device.tampered:
            found[device.zone] = "seen"
        elif found[device.zone] == "unwatched":
            found[device.zone] = "blind"
    return found

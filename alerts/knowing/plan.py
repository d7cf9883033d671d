"""The compound's plan as rules know it: zones, devices at work, and which of them have long been blind."""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.knowing.presence import Presence
from alerts.rules import Site, SiteDevice, SiteZone
from devices.models import Device, Stage
from registry.models import Zone


def site(session: Session, compound: str, begins: dt.datetime | None = None) -> Site:
    """The plan as it is registered now.

    `begins` is when the memory of whoever asks begins: what was offline then, no observation will
    say of it. Without it no device has been blind since before.
    """
    zones = {
        row.id: SiteZone(row.id, str(row.ring), row.kind, frozenset(row.neighbours or ()))
        for row in session.execute(
            select(Zone.id, Zone.ring, Zone.kind, Zone.neighbours)
            .where(Zone.compound == compound)
            .order_by(Zone.id)
        )
    }
    blind = {}
    if begins is not None:
        presence = Presence(session, compound)
        presence.learn([begins])
        blind = dict(presence.blind_since(begins))
    devices = {
        row.id: SiteDevice(
            id=row.id,
            zone=row.zone,
            kind=str(row.kind),
            lane=row.lane,
            direction=row.direction,
            x=row.x,
            y=row.y,
            heartbeat_s=row.heartbeat_s,
            blind_since=blind.get(row.id),
        )
        for row in session.execute(
            select(
                Device.id,
                Device.zone,
                Device.kind,
                Device.lane,
                Device.direction,
                Device.x,
                Device.y,
                Device.heartbeat_s,
            )
            .where(Device.compound == compound, Device.enabled, Device.stage == Stage.APPROVED)
            .order_by(Device.id)
        )
    }
    return Site(zones, devices)

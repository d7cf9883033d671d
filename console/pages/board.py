"""What the live page shows of the compound: its open incidents, its rings, its plan."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from console.pages.plan import BuildingShape, DeviceSpot, IncidentSpot, Plan, ZoneShape, build
from console.texts import Texts
from devices.models import Device, DeviceStatus
from registry.models import Building, Ring, Zone


@dataclass(frozen=True, slots=True)
class RingCount:
    """One ring at a glance. `silent` counts devices that have stopped answering, `never` those
    that nobody has heard yet: they are not set up, so nothing has gone dark.
    """

    ring: str
    incidents: int
    worst: int | None
    online: int
    devices: int
    silent: int
    never: int


@dataclass(frozen=True, slots=True)
class Board:
    plan: Plan
    rings: tuple[RingCount, ...]


def open_incidents(session: Session, compound: str) -> Sequence[Incident]:
    """Incidents of security that somebody still has something to do with and that are shown.

    What the alert budget holds back waits apart, and so does what belongs to people's care.
    """
    query = _open(compound).where(Incident.held.is_(False), Incident.care.is_(False))
    return session.scalars(query).all()


def open_care(session: Session, compound: str) -> Sequence[Incident]:
    """People that somebody should call, since they are looked after and were not heard of."""
    return session.scalars(_open(compound).where(Incident.care.is_(True))).all()


def open_held(session: Session, compound: str) -> Sequence[Incident]:
    """What the alert budget holds back."""
    return session.scalars(_open(compound).where(Incident.held.is_(True), Incident.care.is_(False))).all()


def _open(compound: str) -> Select[Incident]:
    states = [state for state in State if state.is_open]
    return select(Incident).where(Incident.compound == compound, Incident.state.in_(states))


def shapes(session: Session, compound: str) -> tuple[list[ZoneShape], list[BuildingShape]]:
    """The places of a compound, as the plan draws them."""
    zones = session.scalars(select(Zone).where(Zone.compound == compound).order_by(Zone.id))
    buildings = session.scalars(select(Building).where(Building.compound == compound).order_by(Building.id))
    return (
        [ZoneShape(z.id, z.name, str(z.ring), z.outline) for z in zones],
        [BuildingShape(b.name, b.x, b.y, b.width, b.height) for b in buildings],
    )


def heard(status: DeviceStatus | None) -> bool | None:
    """Whether a device is online; None when it has never been heard."""
    if status is None or (status.last_seen is None and not status.online):
        return None
    return status.online


def board(session: Session, compound: str, incidents: Sequence[Incident], t: Texts) -> Board:
    """The plan with its marks, and a count for each ring."""
    zones, buildings = shapes(session, compound)
    ring_of = {zone.id: zone.ring for zone in zones}
    devices = [
        DeviceSpot(d.id, d.name, str(d.kind), d.zone, ring_of.get(d.zone, ""), heard(status), d.x, d.y)
        for d, status in session.execute(
            select(Device, DeviceStatus)
            .outerjoin(DeviceStatus, DeviceStatus.device_id == Device.id)
            .where(Device.compound == compound, Device.enabled)
            .order_by(Device.id)
        )
    ]
    active = [i for i in incidents if i.state != State.RESOLVED]
    plan = build(
        zones,
        buildings,
        devices,
        [IncidentSpot(i.id, i.severity, i.zone, i.device_id, t.code("kind", i.kind)) for i in active],
    )
    return Board(plan, tuple(_count(ring, devices, active) for ring in Ring))


def _count(ring: Ring, devices: Sequence[DeviceSpot], incidents: Sequence[Incident]) -> RingCount:
    here = [i.severity for i in incidents if i.ring == ring]
    own = [d for d in devices if d.ring == ring]
    silent, never = (sum(d.online is condition for d in own) for condition in (False, None))
    online = len(own) - silent - never
    return RingCount(str(ring), len(here), min(here, default=None), online, len(own), silent, never)

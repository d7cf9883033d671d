"""What the live page shows of the compound: its open incidents, its rings, its plan."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from alerts.dispatch.models import UNDER_WAY, Dispatch, DispatchState
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from console.pages.pathway import way_of
from console.pages.plan import BuildingShape, DeviceSpot, IncidentSpot, Plan, ZoneShape, build
from console.pages.seeing import hindered, sight_of
from console.pages.walks import walks_of
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
    # The incident whose way is drawn.
    way: str = ""


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
    zones = session.execute(
        select(Zone.id, Zone.name, Zone.ring, Zone.outline).where(Zone.compound == compound).order_by(Zone.id)
    )
    buildings = session.execute(
        select(Building.name, Building.x, Building.y, Building.width, Building.height, Building.zone)
        .where(Building.compound == compound)
        .order_by(Building.id)
    )
    return (
        [ZoneShape(z.id, z.name, str(z.ring), z.outline) for z in zones],
        [BuildingShape(b.name, b.x, b.y, b.width, b.height, b.zone) for b in buildings],
    )


def heard(status: DeviceStatus | None) -> bool | None:
    """Whether a device is online; None when it has never been heard."""
    if status is None:
        return None
    return _heard(status.online, status.last_seen)


def _heard(online: bool | None, last_seen: dt.datetime | None) -> bool | None:
    return None if not online and last_seen is None else bool(online)


def device_spots(
    session: Session, compound: str, ring_of: dict[str, str], now: dt.datetime, *, zone: str | None = None
) -> list[DeviceSpot]:
    """Devices at work as the plan draws them; of one zone where it is given."""
    rows = (
        select(
            Device.id,
            Device.name,
            Device.kind,
            Device.zone,
            Device.x,
            Device.y,
            DeviceStatus.online,
            DeviceStatus.last_seen,
        )
        .outerjoin(DeviceStatus, DeviceStatus.device_id == Device.id)
        .where(Device.compound == compound, Device.enabled)
        .order_by(Device.id)
    )
    if zone is not None:
        rows = rows.where(Device.zone == zone)
    laid_on = hindered(session, compound, now)
    return [
        DeviceSpot(
            d.id,
            d.name,
            str(d.kind),
            d.zone,
            ring_of.get(d.zone, ""),
            _heard(d.online, d.last_seen),
            d.x,
            d.y,
            tampered=d.id in laid_on,
        )
        for d in session.execute(rows)
    ]


def board(
    session: Session,
    compound: str,
    incidents: Sequence[Incident],
    t: Texts,
    now: dt.datetime,
    *,
    opened: Incident | None = None,
    said: Callable[[Texts, str], str] | None = None,
) -> Board:
    """The plan with its marks, and a count for each ring; of the incident that stands open, its way.

    `said` names a kind where not everybody who sees the plan may read which it is.
    """
    zones, buildings = shapes(session, compound)
    ring_of = {zone.id: zone.ring for zone in zones}
    devices = device_spots(session, compound, ring_of, now)
    sight = sight_of(zones, devices)
    named = said or _kind
    active = [i for i in incidents if i.state != State.RESOLVED]
    going = _going(session, [i.id for i in active])
    plan = build(
        [ZoneShape(z.id, z.name, z.ring, z.outline, sight[z.id]) for z in zones],
        buildings,
        devices,
        [
            IncidentSpot(i.id, i.severity, i.zone, i.device_id, named(t, i.kind), *going.get(i.id, (0, 0)))
            for i in active
        ],
        walks=walks_of(session, compound, now),
        steps=way_of(session, opened, t) if opened is not None else (),
    )
    rings = tuple(_count(ring, devices, active) for ring in Ring)
    return Board(plan, rings, opened.id if opened is not None else "")


def _kind(t: Texts, kind: str) -> str:
    return t.code("kind", kind)


def _going(session: Session, incidents: Sequence[str]) -> dict[str, tuple[int, int]]:
    """How many are on the way to each incident, and how many are there.

    Where somebody is on their way is nobody's to see on a map: see `alerts.dispatch.positions`.
    """
    if not incidents:
        return {}
    rows = session.execute(
        select(Dispatch.incident, Dispatch.state, func.count())
        .where(Dispatch.incident.in_(incidents), Dispatch.state.in_(UNDER_WAY))
        .group_by(Dispatch.incident, Dispatch.state)
    )
    found: dict[str, tuple[int, int]] = {}
    for incident, state, count in rows:
        going, there = found.get(incident, (0, 0))
        arrived = state == DispatchState.ARRIVED
        found[incident] = (going, there + count) if arrived else (going + count, there)
    return found


def _count(ring: Ring, devices: Sequence[DeviceSpot], incidents: Sequence[Incident]) -> RingCount:
    here = [i.severity for i in incidents if i.ring == ring]
    own = [d for d in devices if d.ring == ring]
    silent, never = (sum(d.online is condition for d in own) for condition in (False, None))
    online = len(own) - silent - never
    return RingCount(str(ring), len(here), min(here, default=None), online, len(own), silent, never)

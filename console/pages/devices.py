"""Devices and the messages that were refused: what is down, and what somebody sent wrong."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from bus.deadletters import DeadLetter
from console.accounts.models import User
from console.api.camera_views import view_of
from console.api.device_registry import onboarding_of
from console.context import rooms
from console.pages import floods
from console.pages.board import heard
from console.pages.view import frame, render
from console.permissions import Action, allowed, may
from console.problems import not_found
from devices.adapters import ADAPTERS
from devices.candidates import DeviceCandidate
from devices.lists import report
from devices.models import Device, DeviceKind, DeviceStatus, Stage
from registry.models import Zone
from storage.amendments import standing
from storage.events import EventRow

router = APIRouter(prefix="/console")
Reader = Annotated[User, may(Action.DEVICES_READ)]
RefusedReader = Annotated[User, may(Action.EVENTS_READ)]

_SHOWN: Final = 100
# A clock this far off makes evidence doubtful; below it is ordinary drift.
_SKEW_MS: Final = 5_000
# What sends no pictures of its own.
_BLIND: Final = frozenset({DeviceKind.SENSOR, DeviceKind.GATEWAY})


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """A device with its condition: `on`, `off`, `never` heard of, or `disabled`."""

    id: str
    name: str
    kind: str
    zone: str
    ring: str
    lane: str
    direction: str
    condition: str
    since: dt.datetime | None
    last_seen: dt.datetime | None
    offset_ms: int | None
    heartbeat_s: int
    stage: str
    adapter: str
    external_id: str
    gateway: str
    made_by: str
    gb28181_code: str

    @property
    def clock_is_off(self) -> bool:
        return self.offset_ms is not None and abs(self.offset_ms) > _SKEW_MS


@router.get("/devices")
def devices(request: Request, user: Reader, show: str = "all") -> Response:
    """All devices, what needs a hand first."""
    del user
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        rows = session.execute(
            select(Device, DeviceStatus, Zone)
            .outerjoin(DeviceStatus, DeviceStatus.device_id == Device.id)
            .outerjoin(Zone, Zone.id == Device.zone)
            .where(Device.compound == here.compound, Device.retired_at.is_(None))
        )
        lines = [_line(device, status, zone) for device, status, zone in rows]
        strangers = session.scalar(select(func.count()).select_from(DeviceCandidate)) or 0
    order = {"off": 0, "never": 1, "on": 2, "disabled": 3}
    lines.sort(key=lambda line: (order[line.condition], line.zone, line.name, line.id))
    trouble = sum(line.condition in {"off", "never"} for line in lines)
    waiting = sum(line.stage != Stage.APPROVED for line in lines)
    if show == "trouble":
        lines = [line for line in lines if line.condition in {"off", "never"} or line.clock_is_off]
    elif show == "waiting":
        lines = [line for line in lines if line.stage != Stage.APPROVED]
    return render(
        view,
        "devices.html",
        lines=lines,
        show=show,
        trouble=trouble,
        waiting=waiting,
        strangers=strangers,
    )


@router.get("/devices/{device_id}")
def device(request: Request, user: Reader, device_id: str) -> Response:
    """One device, its last events and what it sent that was refused."""
    return show(request, user, device_id)


def show(
    request: Request, user: User, device_id: str, *, refused: str | None = None, status: int = 200
) -> Response:
    """The page of a device; who may put it into service sees how far it is."""
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        row = session.execute(
            select(Device, DeviceStatus, Zone)
            .outerjoin(DeviceStatus, DeviceStatus.device_id == Device.id)
            .outerjoin(Zone, Zone.id == Device.zone)
            .where(Device.compound == here.compound, Device.id == device_id)
        ).first()
        if row is None:
            raise not_found("device")
        events = session.scalars(
            select(EventRow)
            .where(EventRow.device_id == device_id)
            .order_by(EventRow.corrected_time.desc())
            .limit(20)
        ).all()
        letters = session.scalars(
            select(DeadLetter)
            .options(defer(DeadLetter.raw))
            .where(DeadLetter.device_id == device_id, DeadLetter.compound == here.compound)
            .order_by(DeadLetter.received_at.desc())
            .limit(20)
        ).all()
        return render(
            view,
            "device.html",
            status=status,
            line=_line(*row),
            events=standing(session, events),
            letters=letters,
            flood=floods.dropped(session, device_id, here.clock.now()),
            terminal_list=report.of(session, device_id),
            onboarding=onboarding_of(session, row[0]) if allowed(user, Action.DEVICES_EDIT) else None,
            known=_people(session, row[0]),
            retired=row[0].retired_at is not None,
            view=view_of(session, row[0]) if row[0].kind not in _BLIND else None,
            refused=refused,
        )


def _line(device: Device, status: DeviceStatus | None, zone: Zone | None) -> DeviceLine:
    condition = {True: "on", False: "off", None: "never"}[heard(status)] if device.enabled else "disabled"
    return DeviceLine(
        id=device.id,
        name=device.name,
        kind=str(device.kind),
        zone=zone.name if zone else device.zone,
        ring=str(zone.ring) if zone else "",
        lane=device.lane or "",
        direction=device.direction or "",
        condition=condition,
        since=status.since if status and heard(status) is not None else None,
        last_seen=status.last_seen if status else None,
        offset_ms=status.clock_offset_ms if status else None,
        heartbeat_s=device.heartbeat_s,
        stage=str(device.stage),
        adapter=ADAPTERS[device.adapter].title if device.adapter in ADAPTERS else device.adapter,
        external_id=device.external_id or "",
        gateway=device.gateway or "",
        made_by=" ".join(one for one in (device.vendor, device.model) if one),
        gb28181_code=device.gb28181_code or "",
    )


def _people(session: Session, device: Device) -> dict[str, str]:
    """Who took the steps, by id."""
    ids = [device.tested_by, device.approved_by, device.sign_checked_by, device.privacy_checked_by]
    rows = session.execute(select(User.id, User.name).where(User.id.in_([one for one in ids if one])))
    return {row.id: row.name for row in rows}

"""Devices with their condition. The hash of a device's secret never leaves the database."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import Select, select

from console.accounts.models import User
from console.api.paging import Page
from console.api.places import Here
from console.permissions import Action, may
from console.problems import not_found
from devices.models import Device, DeviceKind, DeviceStatus, Stage

router = APIRouter(tags=["devices"])
Reader = Annotated[User, may(Action.DEVICES_READ)]


class DeviceView(BaseModel):
    """`online` and what follows are None for a device that was never heard of."""

    id: str
    name: str
    kind: DeviceKind
    zone: str
    lane: str | None
    direction: str | None
    heartbeat_s: int
    enabled: bool
    stage: Stage
    adapter: str
    external_id: str | None
    gateway: str | None
    vendor: str | None
    model: str | None
    profile: str | None
    gb28181_code: str | None
    retired_at: dt.datetime | None
    x: float | None
    y: float | None
    online: bool | None
    since: dt.datetime | None
    last_seen: dt.datetime | None
    clock_offset_ms: int | None


@router.get("/devices")
def devices(here: Here, _: Reader) -> Page[DeviceView]:
    """All devices of the compound."""
    with here.database.read() as session:
        rows = session.execute(_query(here.compound).order_by(Device.id)).all()
        return Page(items=[_view(device, status) for device, status in rows], next_cursor=None)


@router.get("/devices/{device_id}")
def device(here: Here, _: Reader, device_id: str) -> DeviceView:
    """One device."""
    with here.database.read() as session:
        row = session.execute(_query(here.compound).where(Device.id == device_id)).first()
        if row is None:
            raise not_found("device")
        return _view(row[0], row[1])


def _query(compound: str) -> Select[Device, DeviceStatus | None]:
    joined = select(Device, DeviceStatus).outerjoin(DeviceStatus, DeviceStatus.device_id == Device.id)
    return joined.where(Device.compound == compound)


def _view(row: Device, status: DeviceStatus | None) -> DeviceView:
    return DeviceView(
        id=row.id,
        name=row.name,
        kind=row.kind,
        zone=row.zone,
        lane=row.lane,
        direction=row.direction,
        heartbeat_s=row.heartbeat_s,
        enabled=row.enabled,
        stage=row.stage,
        adapter=row.adapter,
        external_id=row.external_id,
        gateway=row.gateway,
        vendor=row.vendor,
        model=row.model,
        profile=row.profile,
        gb28181_code=row.gb28181_code,
        retired_at=row.retired_at,
        x=row.x,
        y=row.y,
        online=status.online if status else None,
        since=status.since if status else None,
        last_seen=status.last_seen if status else None,
        clock_offset_ms=status.clock_offset_ms if status else None,
    )

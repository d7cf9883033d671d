"""Devices: which need a hand, filters above them, and one with all that is known of it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from bus.deadletters import DeadLetter
from console.accounts.models import User
from console.api.camera_views import view_of
from console.api.device_registry import onboarding_of
from console.api.purposes import Purpose
from console.context import rooms
from console.pages import device_facts, floods
from console.pages.board import heard
from console.pages.view import frame, render
from console.permissions import Action, allowed, may
from console.problems import not_found
from devices.adapters import ADAPTERS
from devices.candidates import DeviceCandidate
from devices.lists import report
from devices.models import Device, DeviceKind, DeviceStatus, Stage
from devices.observations import DeviceObservation
from registry.models import Ring, Zone
from storage.amendments import standing
from storage.events import EventRow

router = APIRouter(prefix="/console")
Reader = Annotated[User, may(Action.DEVICES_READ)]
Code = Annotated[str, Query(max_length=64)]

_SHOWN: Final = 50
# A clock this far off makes evidence doubtful; below it is ordinary drift.
_SKEW_MS: Final = 5_000
# What sends no pictures of its own.
_BLIND: Final = frozenset({DeviceKind.SENSOR, DeviceKind.GATEWAY})
_LOW_BATTERY: Final = 20
_ORDER: Final = {"off": 0, "never": 1, "on": 2, "disabled": 3}


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """A device with its condition: `on`, `off`, `never` heard of, or `disabled`.

    `firmware` and `battery` (percent) are its own words, empty or None where it says none.
    """

    id: str
    name: str
    kind: str
    zone_id: str
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
    firmware: str
    battery: int | None
    tampered: bool

    @property
    def clock_is_off(self) -> bool:
        return self.offset_ms is not None and abs(self.offset_ms) > _SKEW_MS

    @property
    def battery_is_low(self) -> bool:
        return self.battery is not None and self.battery < _LOW_BATTERY

    @property
    def in_trouble(self) -> bool:
        return self.condition in {"off", "never"} or self.clock_is_off or self.tampered or self.battery_is_low


@dataclass(frozen=True, slots=True)
class Filter:
    """What stands above the list. `show`: all, trouble, off, never, drift, waiting, tampered, battery."""

    show: str = "all"
    ring: str = ""
    zone: str = ""
    kind: str = ""
    q: str = ""

    def link(self, **other: str) -> str:
        """The query of the same filter with something else in it."""
        given = {name: getattr(self, name) for name in self.__slots__} | other
        return urlencode(
            {name: value for name, value in given.items() if value and (name, value) != ("show", "all")}
        )

    def fits(self, line: DeviceLine) -> bool:
        """Whether a device is asked for, whatever `show` says."""
        words = f"{line.id} {line.name} {line.external_id} {line.made_by} {line.adapter}".casefold()
        return (
            self.ring in {"", line.ring}
            and self.zone in {"", line.zone_id}
            and self.kind in {"", line.kind}
            and all(word in words for word in self.q.casefold().split())
        )


SHOWN: Final = {
    "trouble": lambda line: line.in_trouble,
    "off": lambda line: line.condition == "off",
    "never": lambda line: line.condition == "never",
    "drift": lambda line: line.clock_is_off,
    "tampered": lambda line: line.tampered,
    "battery": lambda line: line.battery_is_low,
    "waiting": lambda line: line.stage != Stage.APPROVED,
}
"""Which devices each figure above the list leads to."""


@router.get("/devices")
def devices(
    request: Request,
    user: Reader,
    show: Code = "all",
    ring: Code = "",
    zone: Code = "",
    kind: Code = "",
    q: Code = "",
    skip: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    """All devices that are asked for, what needs a hand first."""
    del user
    here, view = rooms(request), frame(request)
    asked = Filter(show if show in SHOWN else "all", ring, zone, kind, q.strip())
    with here.database.read() as session:
        tampered = device_facts.tampered(session, here.compound, view.now)
        every = [_line(*row, tampered=tampered) for row in _rows(session, here.compound)]
        strangers = session.scalar(select(func.count()).select_from(DeviceCandidate)) or 0
        zones = session.execute(
            select(Zone.id, Zone.name).where(Zone.compound == here.compound).order_by(Zone.ring, Zone.name)
        ).all()
    every.sort(key=lambda line: (_ORDER[line.condition], not line.in_trouble, line.zone, line.name, line.id))
    lines = [line for line in every if asked.fits(line)]
    figures = {name: sum(map(fits, lines)) for name, fits in SHOWN.items()}
    online = sum(line.condition == "on" for line in lines)
    if asked.show in SHOWN:
        lines = [line for line in lines if SHOWN[asked.show](line)]
    return render(
        view,
        "devices.html",
        lines=lines[skip : skip + _SHOWN],
        count=len(lines),
        further=skip + _SHOWN if len(lines) > skip + _SHOWN else None,
        skip=skip,
        asked=asked,
        show=asked.show,
        figures=figures,
        online=online,
        total=len(every),
        trouble=figures["trouble"],
        waiting=figures["waiting"],
        strangers=strangers,
        zones=zones,
        rings=list(Ring),
        kinds=[one for one in DeviceKind if any(line.kind == one for line in every)],
    )


@router.get("/devices/{device_id}")
def device(request: Request, user: Reader, device_id: str, look: Code = "") -> Response:
    """One device; with a purpose in `look` its last picture, which the picture's own route audits."""
    return show(request, user, device_id, look=look if look in list(Purpose) else "")


def show(
    request: Request,
    user: User,
    device_id: str,
    *,
    look: str = "",
    refused: str | None = None,
    status: int = 200,
) -> Response:
    """The page of a device; who may put it into service sees how far it is."""
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        row = next(iter(_rows(session, here.compound, device_id)), None)
        if row is None:
            raise not_found("device")
        device, status_row = row[0], row[1]
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
            .limit(10)
        ).all()
        return render(
            view,
            "device.html",
            status=status,
            line=_line(*row, tampered=device_facts.tampered(session, here.compound, view.now, device_id)),
            events=standing(session, events),
            letters=letters,
            flood=floods.dropped(session, device_id, here.clock.now()),
            terminal_list=report.of(session, device_id),
            onboarding=onboarding_of(session, device) if allowed(user, Action.DEVICES_EDIT) else None,
            known=_people(session, device),
            retired=device.retired_at is not None,
            view=view_of(session, device) if device.kind not in _BLIND else None,
            refused=refused,
            history=device_facts.history(session, device, status_row, view.now),
            clock=device_facts.clock(session, device_id, view.now),
            counts=device_facts.counts(session, device_id, view.now),
            picture=device_facts.last_picture(session, device_id, view.now)
            if device.kind not in _BLIND and allowed(user, Action.MEDIA_VIEW)
            else None,
            look=look,
            purposes=list(Purpose),
            commands=device_facts.commands(session, here.compound, device_id, user),
            orders=device_facts.work_orders(session, here.compound, device_id, user),
            quiet_rules=device_facts.may_be_quiet(),
            mutes=device_facts.quiet(session, here.compound, device, view.now, user),
        )


def _rows(
    session: Session, compound: str, device_id: str | None = None
) -> Sequence[tuple[Device, DeviceStatus | None, Zone | None, Mapping[str, object] | None]]:
    query = (
        select(Device, DeviceStatus, Zone, DeviceObservation.facts)
        .outerjoin(DeviceStatus, DeviceStatus.device_id == Device.id)
        .outerjoin(DeviceObservation, DeviceObservation.device_id == Device.id)
        .outerjoin(Zone, Zone.id == Device.zone)
        .where(Device.compound == compound)
    )
    query = query.where(Device.retired_at.is_(None) if device_id is None else Device.id == device_id)
    return [tuple(row) for row in session.execute(query)]


def _line(
    device: Device,
    status: DeviceStatus | None,
    zone: Zone | None,
    facts: Mapping[str, object] | None,
    *,
    tampered: frozenset[str],
) -> DeviceLine:
    condition = {True: "on", False: "off", None: "never"}[heard(status)] if device.enabled else "disabled"
    return DeviceLine(
        id=device.id,
        name=device.name,
        kind=str(device.kind),
        zone_id=device.zone,
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
        firmware=str((facts or {}).get("firmware") or ""),
        battery=_percent((facts or {}).get("battery")),
        tampered=device.id in tampered,
    )


def _percent(value: object) -> int | None:
    """A device's own word on its battery; what is no number from 0 to 100 says nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        return None
    return round(value)


def _people(session: Session, device: Device) -> dict[str, str]:
    """Who took the steps, by id."""
    ids = [device.tested_by, device.approved_by, device.sign_checked_by, device.privacy_checked_by]
    rows = session.execute(select(User.id, User.name).where(User.id.in_([one for one in ids if one])))
    return {row.id: row.name for row in rows}

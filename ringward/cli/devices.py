"""`ringward device`: what may publish, how far it is believed, and what brokers let it do."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from sqlalchemy import select

from devices import registration, stages
from devices.adapters import named
from devices.candidates import DeviceCandidate
from devices.models import Device, DeviceKind, DeviceStatus, Stage
from devices.observations import DeviceObservation
from devices.profiles import profiles
from devices.registration import Facts
from devices.streams import DeviceStream
from registry.errors import RefusedError
from registry.models import Zone
from ringward.cli import device_acl, device_opens, device_steps, device_stream, lists
from ringward.cli.common import console, fail, opened, settings
from ringward.cli.device_steps import (
    CLI,
    MISSING,
    DataDir,
    DeviceId,
    check_direction,
    print_login,
    said,
    topics_of,
)

app = typer.Typer(help="Devices that may publish.", no_args_is_help=True)
app.command("edit")(device_steps.edit)
app.command("walk")(device_steps.walk)
app.command("lists")(lists.lists)
app.command("keep-list")(lists.keep_list)
app.command("resync")(lists.resync)
app.command("test")(device_steps.mark_tested)
app.command("approve")(device_steps.approve)
app.command("quarantine")(device_steps.quarantine)
app.command("retire")(device_steps.retire)
app.command("secret")(device_steps.renew_secret)
app.command("acl")(device_acl.acl)
app.command("stream")(device_stream.stream)
app.command("opens")(device_opens.opens)

Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]


@app.command("add")
def add(
    device_id: Annotated[str, typer.Argument(help="Letters, digits, - and _; part of its topics.")],
    zone: Annotated[str, typer.Option(help="Zone id; the zone gives the ring.")],
    kind: Annotated[DeviceKind | None, typer.Option(help="What it is; a profile says it too.")] = None,
    profile: Annotated[str | None, typer.Option(help="Defaults: a name of `device profiles`.")] = None,
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    lane: Annotated[str | None, typer.Option(help="The passage it belongs to.")] = None,
    direction: Annotated[str | None, typer.Option(help="in or out")] = None,
    heartbeat_s: Annotated[
        int | None, typer.Option(min=5, max=3600, help="Seconds between signs of life.")
    ] = None,
    adapter: Annotated[str | None, typer.Option(help="Whose format it speaks.")] = None,
    external_id: Annotated[str | None, typer.Option(help="Its name in its vendor's messages.")] = None,
    gateway: Annotated[str | None, typer.Option(help="Id of the gateway that speaks for it.")] = None,
    gb28181: Annotated[str | None, typer.Option(help="GB/T 28181 code, 20 digits.")] = None,
    shared_topics: Annotated[
        bool | None,
        typer.Option(
            "--shared-topics/--own-topics", help="Whether it publishes where all of its vendor's devices do."
        ),
    ] = None,
    approve: Annotated[
        bool, typer.Option("--approve", help="Believe it at once, without a test at the device.")
    ] = False,
    sign_photo: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Photo of the sign beside a camera.")
    ] = None,
    privacy_checked: Annotated[
        bool, typer.Option("--privacy-checked", help="You have seen that it looks into no private space.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Register a device and print its secret, this once.

    Example: ringward device add gate1-cam --zone gate-1 --kind face_camera --lane gate1-in --direction in
    """
    check_direction(direction)
    facts = Facts(
        zone=zone,
        kind=kind,
        name=name,
        profile=profile,
        adapter=_adapter(adapter),
        external_id=external_id,
        gateway=gateway,
        lane=lane,
        direction=direction,
        heartbeat_s=heartbeat_s,
        gb28181_code=gb28181,
        shared_topics=shared_topics,
    )
    with opened(settings(data_dir=data_dir)) as ground:
        photo = ground.media.put(sign_photo.read_bytes()).media_id if sign_photo else None
        at = ground.clock.now()
        try:
            with ground.database.write() as session:
                place = session.get(Zone, zone)
                if place is None:
                    known = ", ".join(session.scalars(select(Zone.id).order_by(Zone.id)))
                    raise fail(f"no zone {zone}; there are: {known or 'none'}")
                device, credential = registration.register(session, place.compound, device_id, facts, at, CLI)
                if photo is not None:
                    stages.sign_seen(session, device, photo, at, CLI)
                if privacy_checked:
                    stages.privacy_seen(session, device, at, CLI)
                if approve:
                    stages.approve_untested(session, device, at, CLI)
                topics = topics_of(session, device)
        except RefusedError as refused:
            raise said(refused, device_id) from None
    print_login(credential, topics)


@app.command("seen")
def seen(as_json: Json = False, data_dir: DataDir = None) -> None:
    """List who spoke without being registered.

    Example: ringward device seen
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        rows = session.scalars(select(DeviceCandidate).order_by(DeviceCandidate.last_seen.desc())).all()
        found = [
            {
                "adapter": row.adapter,
                "gateway": row.gateway or None,
                "external_id": row.external_id,
                "first_seen": row.first_seen.isoformat(),
                "last_seen": row.last_seen.isoformat(),
                "count": row.count,
                "facts": row.facts,
            }
            for row in rows
        ]
    if as_json:
        _print_json({"candidates": found})
        return
    for one in found:
        through = f" through {one['gateway']}" if one["gateway"] else ""
        console.print(
            f"{one['adapter']}  {one['external_id']}{through}  ×{one['count']}  last {one['last_seen']}",
            markup=False,
        )
    if not found:
        console.print("nobody")


@app.command("show")
def show(device_id: DeviceId, as_json: Json = False, data_dir: DataDir = None) -> None:
    """Show a device: what is registered, what it has shown, and what is missing for its next stage.

    Example: ringward device show gate1-cam
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        device = session.get(Device, device_id)
        if device is None:
            raise fail(f"no device {device_id}")
        row = session.get(DeviceObservation, device_id)
        publish, subscribe = topics_of(session, device)
        told = {
            "id": device.id,
            "kind": str(device.kind),
            "zone": device.zone,
            "adapter": device.adapter,
            "external_id": device.external_id,
            "gateway": device.gateway,
            "stage": str(device.stage),
            "reason": device.stage_reason,
            "enabled": device.enabled,
            "publish": list(publish),
            "subscribe": list(subscribe),
            "heard": _iso(row.last_heard_at) if row else None,
            "types": row.types if row else {},
            "picture": _iso(row.picture_at) if row else None,
            "heartbeat_s": row.heartbeat_s if row else None,
            "clock_offset_ms": row.clock_offset_ms if row else None,
            "walk_asked": row.walk_asked if row else None,
            "walk_said": row.walk_said if row else None,
            "sign_photo": _iso(device.sign_checked_at),
            "privacy_check": _iso(device.privacy_checked_at),
            "stream": device_stream.told(session.get(DeviceStream, device_id)),
        }
        missing = [str(one) for one in stages.lacking(session, device)]
    if as_json:
        _print_json(told | {"missing": missing})
        return
    for key, value in told.items():
        if value not in (None, [], {}):
            console.print(f"{key:16} {value}", markup=False)
    for one in missing:
        console.print(f"missing          {MISSING[one].replace('ID', device_id)}", markup=False)


@app.command("list")
def list_devices(
    stage: Annotated[Stage | None, typer.Option(help="Only those of this stage.")] = None,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """List devices with ring, zone, adapter, stage and state.

    Example: ringward device list --stage quarantined
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        query = (
            select(Device, Zone.ring, DeviceStatus.online, DeviceStream)
            .join(Zone, Zone.id == Device.zone)
            .outerjoin(DeviceStatus, DeviceStatus.device_id == Device.id)
            .outerjoin(DeviceStream, DeviceStream.device_id == Device.id)
            .where(Device.retired_at.is_(None))
            .order_by(Zone.ring, Device.id)
        )
        if stage is not None:
            query = query.where(Device.stage == stage)
        found = [
            {
                "id": device.id,
                "kind": str(device.kind),
                "ring": str(ring),
                "zone": device.zone,
                "adapter": device.adapter,
                "stage": str(device.stage),
                "online": bool(online),
                "stream": device_stream.in_short(stream),
            }
            for device, ring, online, stream in session.execute(query)
        ]
    if as_json:
        _print_json({"devices": found})
        return
    for one in found:
        state = "online" if one["online"] else "offline"
        if one["stream"]:
            state += f"  stream {one['stream']}"
        console.print(
            f"{one['id']}  {one['kind']}  {one['ring']}/{one['zone']}  "
            f"{one['adapter']}  {one['stage']}  {state}"
        )


@app.command("profiles")
def list_profiles() -> None:
    """List the profiles: what a device of a make usually is.

    Example: ringward device profiles
    """
    for profile in profiles().values():
        console.print(
            f"{profile.name:18} {profile.adapter:12} {profile.kind:14} {profile.title}", markup=False
        )


def _adapter(name: str | None) -> str | None:
    """An adapter may be called by any of its names."""
    if name is None:
        return None
    try:
        return named(name).name
    except KeyError:
        raise fail(f"no adapter {name}") from None


def _iso(moment: dt.datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _print_json(value: dict[str, Any]) -> None:
    console.print(msgspec.json.encode(value).decode(), markup=False)

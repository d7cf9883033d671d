"""`ringward device`: what may publish."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from bus.embedded import is_safe_name
from devices.models import Device, DeviceKind, DeviceStatus, Stage
from devices.secrets import hash_secret, new_secret
from registry.models import Zone
from ringward.cli.common import console, fail, opened, settings

app = typer.Typer(help="Devices that may publish.", no_args_is_help=True)


@app.command("add")
def add(
    device_id: Annotated[str, typer.Argument(help="Letters, digits, - and _; part of its topics.")],
    zone: Annotated[str, typer.Option(help="Zone id; the zone gives the ring.")],
    kind: Annotated[DeviceKind, typer.Option(help="What it is.")],
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    lane: Annotated[str | None, typer.Option(help="The passage it belongs to.")] = None,
    direction: Annotated[str | None, typer.Option(help="in or out")] = None,
    heartbeat_s: Annotated[int, typer.Option(min=5, max=3600, help="Seconds between signs of life.")] = 30,
    approve: Annotated[
        bool, typer.Option("--approve", help="Believe it at once, without a test at the device.")
    ] = False,
    data_dir: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Register a device and print its MQTT secret, this once.

    Example: ringward device add gate1-cam --zone gate-1 --kind face_camera --lane gate1-in --direction in
    """
    if not is_safe_name(device_id):
        raise fail("a device id has 1…64 letters, digits, - and _")
    if direction not in {None, "in", "out"}:
        raise fail("direction is in or out")
    secret = new_secret()
    with opened(settings(data_dir=data_dir)) as ground, ground.database.write() as session:
        place = session.get(Zone, zone)
        if place is None:
            known = ", ".join(session.scalars(select(Zone.id).order_by(Zone.id)))
            raise fail(f"no zone {zone}; there are: {known or 'none'}")
        if session.get(Device, device_id) is not None:
            raise fail(f"device {device_id} exists; `ringward device secret` gives it a new secret")
        session.add(
            Device(
                id=device_id,
                compound=place.compound,
                zone=zone,
                kind=kind,
                name=name or device_id,
                lane=lane,
                direction=direction,
                heartbeat_s=heartbeat_s,
                secret_hash=hash_secret(secret),
                enabled=True,
                stage=Stage.APPROVED if approve else Stage.QUARANTINED,
            )
        )
        compound = place.compound
    _print_login(compound, device_id, secret)


@app.command("secret")
def renew_secret(
    device_id: Annotated[str, typer.Argument()], data_dir: Annotated[Path | None, typer.Option()] = None
) -> None:
    """Give a device a new MQTT secret; the old one stops working within seconds.

    Example: ringward device secret gate1-cam
    """
    secret = new_secret()
    with opened(settings(data_dir=data_dir)) as ground, ground.database.write() as session:
        device = session.get(Device, device_id)
        if device is None:
            raise fail(f"no device {device_id}")
        device.secret_hash = hash_secret(secret)
        compound = device.compound
    _print_login(compound, device_id, secret)


@app.command("list")
def list_devices(data_dir: Annotated[Path | None, typer.Option()] = None) -> None:
    """List devices with ring, zone and state.

    Example: ringward device list
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        rows = session.execute(
            select(Device, Zone.ring, DeviceStatus.online)
            .join(Zone, Zone.id == Device.zone)
            .outerjoin(DeviceStatus, DeviceStatus.device_id == Device.id)
            .order_by(Zone.ring, Device.id)
        )
        for device, ring, online in rows:
            console.print(
                f"{device.id}  {device.kind}  {ring}/{device.zone}  {'online' if online else 'offline'}"
            )


def _print_login(compound: str, device_id: str, secret: str) -> None:
    console.print(f"user {device_id}\npassword {secret}\ntopic rw/v1/{compound}/{device_id}/up/event")

"""Steps of `ringward device`: tested, approved, put back, retired, given a new secret."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from sqlalchemy.orm import Session

from bus.subjects import MQTT_ROOT
from devices import registration, stages
from devices.credentials import Credential
from devices.directory import facts_of
from devices.models import Device, Stage
from devices.onboarding import Reason
from devices.rights import rights_of
from devices.stages import By
from registry.errors import RefusedError
from ringward.cli.common import console, fail, opened, settings

CLI: Final = By("cli", "administrator")
DataDir = Annotated[Path | None, typer.Option()]
DeviceId = Annotated[str, typer.Argument(help="The device's id.")]

MISSING: Final = {
    "not_heard": "nothing was heard of it: is it on, and does it know user, password and address?",
    "credential_unused": "its own credential was not used: configure topics of its own",
    "clock_off": "its clock is off by more than a minute: set time server and zone",
    "no_picture": "no picture came: pass in front of it",
    "not_walked": "direction test: ringward device walk ID --direction in, then walk through",
    "walk_unanswered": "direction test: nothing came since you said that you walk through",
    "walked_otherwise": "direction test: it says the other way or nothing: turn it round, or "
    "ringward device edit ID --direction in",
    "not_tested": "nobody has tested it: ringward device test ID",
    "sign_photo": "photo of the sign beside it (提示标识): --sign-photo FILE",
    "privacy_check": "nobody has checked that it sees no private space: --privacy-checked",
    "disabled": "it is turned off",
}


def walk(
    device_id: DeviceId,
    direction: Annotated[str, typer.Option(help="Which way you walk: in or out.")],
    data_dir: DataDir = None,
) -> None:
    """Begin the direction test: walk through now, the device's next event answers for it.

    Example: ringward device walk gate1-cam --direction in
    """
    check_direction(direction)
    with editing(device_id, data_dir) as (session, device, at):
        stages.walk(session, device, direction, at, CLI)
    console.print(f"Walk {direction} within ten minutes, then: ringward device show {device_id}")


def edit(
    device_id: DeviceId,
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    zone: Annotated[str | None, typer.Option(help="Where it hangs now: signs are checked again.")] = None,
    lane: Annotated[str | None, typer.Option(help="The passage it belongs to.")] = None,
    direction: Annotated[str | None, typer.Option(help="in or out")] = None,
    external_id: Annotated[str | None, typer.Option(help="Its name in its vendor's messages.")] = None,
    heartbeat_s: Annotated[
        int | None, typer.Option(min=5, max=3600, help="Seconds between signs of life.")
    ] = None,
    gb28181: Annotated[str | None, typer.Option(help="GB/T 28181 code, 20 digits.")] = None,
    shared_topics: Annotated[
        bool | None, typer.Option("--shared-topics/--own-topics", help="Whether it publishes on shared ones.")
    ] = None,
    enabled: Annotated[bool | None, typer.Option("--enable/--disable", help="Turn it on or off.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Change what is registered; what is not said stays. Another place or name puts it into quarantine.

    Example: ringward device edit gate1-cam --direction in
    """
    check_direction(direction)
    given = {
        "name": name,
        "zone": zone,
        "lane": lane,
        "direction": direction,
        "external_id": external_id,
        "heartbeat_s": heartbeat_s,
        "gb28181_code": gb28181,
        "shared_topics": shared_topics,
        "enabled": enabled,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    with editing(device_id, data_dir) as (session, device, at):
        registration.edit(session, device, changes, at, CLI)


def mark_tested(device_id: DeviceId, data_dir: DataDir = None) -> None:
    """Say that a device does what the registry says; refused while something is missing.

    Example: ringward device test gate1-cam
    """
    with editing(device_id, data_dir) as (session, device, at):
        stages.advance(session, device, Stage.TESTED, at, CLI)


def approve(
    device_id: DeviceId,
    sign_photo: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Photo of the sign beside a camera.")
    ] = None,
    privacy_checked: Annotated[
        bool, typer.Option("--privacy-checked", help="You have seen that it looks into no private space.")
    ] = False,
    untested: Annotated[bool, typer.Option("--untested", help="Without a test at the device.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Believe a device from now on. What it said before lies with the dead letters and can be replayed.

    Example: ringward device approve gate1-cam --sign-photo sign.jpg --privacy-checked
    """
    with editing(device_id, data_dir, sign_photo) as (session, device, at):
        if privacy_checked:
            stages.privacy_seen(session, device, at, CLI)
        if untested:
            stages.approve_untested(session, device, at, CLI)
        else:
            stages.advance(session, device, Stage.APPROVED, at, CLI)


def quarantine(device_id: DeviceId, data_dir: DataDir = None) -> None:
    """Believe a device no longer; what it says from now on is kept aside.

    Example: ringward device quarantine gate1-cam
    """
    with editing(device_id, data_dir) as (session, device, at):
        stages.not_retired(device)
        stages.step_back(session, device, Reason.BY_HAND, at, CLI)


def retire(device_id: DeviceId, data_dir: DataDir = None) -> None:
    """Take a device out of service for good. Its events stay, its secret stops working.

    Example: ringward device retire gate1-cam
    """
    with editing(device_id, data_dir) as (session, device, at):
        registration.retire(session, device, at, CLI)


def renew_secret(
    device_id: DeviceId,
    overlap_minutes: Annotated[
        int | None,
        typer.Option(min=0, max=10080, help="How long the old one works on; a setting says it else."),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Give a device a new secret. With an overlap it comes with a new user name; 0 replaces it at once.

    Example: ringward device secret gate1-cam --overlap-minutes 0
    """
    minutes = settings(data_dir=data_dir).device_secret_overlap_minutes
    overlap = dt.timedelta(minutes=minutes if overlap_minutes is None else overlap_minutes)
    with editing(device_id, data_dir) as (session, device, at):
        credential = registration.renew_secret(session, device, overlap, at, CLI)
        topics = topics_of(session, device)
    print_login(credential, topics)


@contextmanager
def editing(
    device_id: str, data_dir: Path | None, sign_photo: Path | None = None
) -> Iterator[tuple[Session, Device, dt.datetime]]:
    """The device in a transaction of its own; a refusal is said in words and ends the command."""
    with opened(settings(data_dir=data_dir)) as ground:
        photo = ground.media.put(sign_photo.read_bytes()).media_id if sign_photo else None
        at = ground.clock.now()
        try:
            with ground.database.write() as session:
                device = session.get(Device, device_id)
                if device is None:
                    raise fail(f"no device {device_id}")
                if photo is not None:
                    stages.sign_seen(session, device, photo, at, CLI)
                yield session, device, at
        except RefusedError as refused:
            raise said(refused, device_id) from None


def said(refused: RefusedError, device_id: str) -> typer.Exit:
    """A refusal in words; raise the result."""
    missing = refused.facts.get("missing")
    if missing:
        for one in missing:
            console.print(f"missing: {MISSING[one].replace('ID', device_id)}", markup=False)
        return typer.Exit(1)
    facts = " ".join(f"{name}={value}" for name, value in refused.facts.items())
    return fail(f"refused: {refused.code} {facts}".rstrip())


def check_direction(direction: str | None) -> None:
    """Raises the command's end for anything but in and out."""
    if direction not in {None, "in", "out"}:
        raise fail("direction is in or out")


def topics_of(session: Session, device: Device) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The MQTT filters on which the device may publish and which it may listen to."""
    session.flush()
    facts = facts_of(session, device.id)
    assert facts is not None
    rights = rights_of(facts)
    return rights.publish, rights.subscribe


def print_login(credential: Credential | None, topics: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    """What goes into the device, this once."""
    if credential is None:
        console.print("no secret of its own: it speaks through its gateway")
        return
    console.print(f"user {credential.user}\npassword {credential.secret}", markup=False)
    for topic in topics[0]:
        if topic.startswith(MQTT_ROOT):
            console.print(f"topic {topic.removesuffix('#')}event", markup=False)
        else:
            console.print(f"publishes on {topic}", markup=False)
    for topic in topics[1]:
        console.print(f"listens to {topic}", markup=False)

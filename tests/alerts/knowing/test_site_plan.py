"""The plan as rules know it, and which devices were there at a moment of the past."""

import datetime as dt

from timeline import COMPOUND, START, World, offline

from alerts.knowing import observe, site
from alerts.rules import SiteDevice
from devices.models import Device, DeviceKind, DeviceStatus, Stage
from storage import Database
from storage.events import EventRow

HOUR = dt.timedelta(hours=1)


def word(world: World, device: str, kind: str, at: dt.datetime) -> None:
    """What was said of a device's presence, in the log."""
    world.add(
        EventRow(
            id=f"{device}-{kind}-{at:%H%M}",
            compound=COMPOUND,
            device_id=device,
            record_id=f"{kind}@{at}",
            type=kind,
            ring="common",
            zone="square",
            device_time=at,
            corrected_time=at,
            received_at=at,
            late=False,
            marks=[],
            body={},
            content_hash="",
        )
    )


def device(world: World, name: str, *, online: bool, since: dt.datetime, **facts) -> None:
    given = {"stage": Stage.APPROVED, "enabled": True} | facts
    world.add(
        Device(
            id=name,
            compound=COMPOUND,
            zone="square",
            kind=DeviceKind.SCENE_CAMERA,
            name=name,
            secret_hash="",
            x=3.0,
            y=4.0,
            heartbeat_s=10,
            **given,
        ),
        DeviceStatus(device_id=name, online=online, since=since, last_seen=since),
    )


def test_plan_has_every_zone_and_the_devices_at_work(world: World, database: Database) -> None:
    device(world, "a", online=True, since=START)
    device(world, "off", online=True, since=START, enabled=False)
    device(world, "new", online=True, since=START, stage=Stage.TESTED)
    with database.read() as session:
        plan = site(session, COMPOUND)
    assert plan.zones.keys() == {"gate", "side-gate", "drive", "square", "hall"}
    assert plan.zones["hall"].ring == "building"
    assert dict(plan.devices) == {"a": SiteDevice("a", "square", "scene_camera", None, None, 3.0, 4.0, 10)}


def test_blind_since_before_the_memory_begins(world: World, database: Database) -> None:
    device(world, "here", online=True, since=START - 5 * HOUR)
    device(world, "gone", online=False, since=START - 5 * HOUR)
    # Gone then, back since: the log says since when it was gone.
    device(world, "back", online=True, since=START + HOUR)
    word(world, "back", "device.offline", START - 2 * HOUR)
    word(world, "back", "device.online", START + HOUR)
    # Here then, gone since.
    device(world, "later", online=False, since=START + HOUR)
    word(world, "later", "device.online", START - 2 * HOUR)
    word(world, "later", "device.offline", START + HOUR)
    with database.read() as session:
        plan = site(session, COMPOUND, START)
        unknown = site(session, COMPOUND)
    assert {name: one.blind_since for name, one in plan.devices.items()} == {
        "here": None,
        "gone": START - 5 * HOUR,
        "back": START - 2 * HOUR,
        "later": None,
    }
    assert not any(one.blind_since for one in unknown.devices.values())


def test_share_of_a_ring_is_that_of_the_moment(world: World, database: Database) -> None:
    device(world, "a", online=True, since=START + 2 * HOUR)
    word(world, "a", "device.offline", START)
    word(world, "a", "device.online", START + 2 * HOUR)
    device(world, "b", online=False, since=START + HOUR)
    word(world, "b", "device.offline", START + HOUR)
    device(world, "c", online=True, since=START - HOUR)
    device(world, "d", online=True, since=START - HOUR)
    # Half an hour before, when a went, when b went, when a was back.
    moments = [START - HOUR / 2, START, START + HOUR, START + 2 * HOUR]
    messages = [offline("a", "square")(at, at, False) for at in moments]
    with database.read() as session:
        seen = observe(session, COMPOUND, messages)
        apart = [one for message in messages for one in observe(session, COMPOUND, [message])]
    assert [one.ring_offline for one in seen] == [0.0, 0.25, 0.5, 0.25]
    assert seen == apart

"""A small invented compound: two zones, four devices, all secrets alike."""

import bcrypt

from devices.directory import DeviceDirectory, DeviceFacts
from devices.models import Device, DeviceKind, DeviceStatus, Stage
from registry.models import Compound, Ring, Zone
from storage import Database

COMPOUND = "honghua"
ELSEWHERE = "meilin"
SECRET = "a-device-secret"
SECRET_HASH = bcrypt.hashpw(SECRET.encode(), bcrypt.gensalt(4)).decode()
JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"


def device(device_id: str, kind: DeviceKind, zone: str = "gate", **changes: object) -> Device:
    fields = {
        "id": device_id,
        "compound": COMPOUND,
        "zone": zone,
        "kind": kind,
        "name": device_id,
        "lane": None,
        "direction": None,
        "heartbeat_s": 30,
        "secret_hash": SECRET_HASH,
        "enabled": True,
        "stage": Stage.APPROVED,
    }
    return Device(**fields | changes)


def settle_in(database: Database) -> None:
    """Registers the compound and its devices."""
    with database.write() as session:
        session.add_all(
            [
                Compound(id=COMPOUND, name="红花苑", time_zone="Asia/Shanghai"),
                Compound(id=ELSEWHERE, name="梅林苑", time_zone="Asia/Shanghai"),
            ]
        )
        session.flush()
        session.add_all(
            [
                Zone(id="gate", compound=COMPOUND, name="东门", ring=Ring.ENTRANCE, kind="gate", outline=[]),
                Zone(id="b1", compound=COMPOUND, name="1栋", ring=Ring.BUILDING, kind="door", outline=[]),
            ]
        )
        session.flush()
        session.add_all(
            [
                device("cam-1", DeviceKind.FACE_CAMERA, lane="gate-in", direction="in"),
                device("cam-2", DeviceKind.PLATE_CAMERA, lane="gate-in", direction="in"),
                device("door-1", DeviceKind.DOOR, "b1", lane="b1-door"),
                device("old-1", DeviceKind.SENSOR, enabled=False),
            ]
        )


def status_of(database: Database, device_id: str) -> DeviceStatus:
    """What is known of a device's condition, usable after the session."""
    with database.read() as session:
        status = session.get_one(DeviceStatus, device_id)
        session.expunge(status)
    return status


def facts(database: Database, device_id: str) -> DeviceFacts:
    found = DeviceDirectory(database).get(device_id)
    assert found is not None
    return found

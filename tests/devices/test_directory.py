from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, update

import devices.directory
from devices.directory import DeviceDirectory
from devices.models import Device, DeviceKind
from storage import Database
from tests.support.compound import COMPOUND, device, settle_in


class Monotonic:
    """The process's own clock, moved by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Monotonic:
    ticks = Monotonic()
    monkeypatch.setattr(devices.directory, "time", ticks)
    return ticks


@pytest.fixture
def directory(database: Database, ticks: Monotonic) -> DeviceDirectory:
    settle_in(database)
    return DeviceDirectory(database)


def test_facts_are_the_registrys(directory: DeviceDirectory) -> None:
    facts = directory.get("cam-1")
    assert (facts.device_id, facts.compound, facts.zone, facts.ring) == (
        "cam-1",
        COMPOUND,
        "gate",
        "entrance",
    )
    assert (facts.kind, facts.lane, facts.direction) == ("face_camera", "gate-in", "in")
    assert (facts.heartbeat_s, facts.enabled) == (30, True)
    assert facts.time_zone == ZoneInfo("Asia/Shanghai")
    assert directory.get("door-1").ring == "building"
    assert directory.get("cam-9") is None
    assert {known.device_id for known in directory.all()} == {"cam-1", "cam-2", "door-1", "old-1"}


def test_disabled_device_is_known_as_such(directory: DeviceDirectory) -> None:
    assert directory.get("old-1").enabled is False


def test_new_device_is_known_after_two_seconds(
    directory: DeviceDirectory, database: Database, ticks: Monotonic
) -> None:
    assert directory.get("cam-3") is None
    with database.write() as session:
        session.add(device("cam-3", DeviceKind.SCENE_CAMERA))
        session.execute(update(Device).where(Device.id == "cam-1").values(enabled=False))
    ticks.at += 2.0
    assert directory.get("cam-3") is None
    assert directory.get("cam-1").enabled is True
    ticks.at += 0.001
    assert directory.get("cam-3").kind == "scene_camera"
    assert directory.get("cam-1").enabled is False


def test_database_is_not_asked_for_every_message(
    directory: DeviceDirectory, database: Database, ticks: Monotonic
) -> None:
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    for number in range(100):
        directory.get("cam-1")
        directory.get(f"stranger-{number}")
    assert len([text for text in asked if "FROM devices" in text]) == 1


def test_device_may_be_asked_for_at_once(directory: DeviceDirectory, database: Database) -> None:
    directory.all()
    with database.write() as session:
        session.add(device("cam-3", DeviceKind.SCENE_CAMERA))
    directory.refresh()
    assert directory.get("cam-3") is not None

"""What ingest tells the installer of devices that nobody believes yet, and how it stops believing one."""

import base64
import datetime as dt
import json

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from bus.deadletters import DeadLetter
from devices import presence
from devices.directory import DeviceDirectory
from devices.models import Device, DeviceKind, Stage
from devices.observations import DeviceObservation
from ingest.arrival import Arrival
from ingest.intake import Intake
from ingest.metrics import IntakeMetrics
from storage import Database, MediaStore
from storage.events import EventRow
from tests.support.clock import NOON
from tests.support.compound import JPEG, device, settle_in
from tests.support.native import event, state, topic

JPEG64 = base64.b64encode(JPEG).decode()
FACE = {"adapter": "facesluice", "external_id": "1305433"}


class Site:
    """An intake beside some devices of one compound."""

    def __init__(self, database: Database, media: MediaStore, *devices: Device) -> None:
        self.database = database
        settle_in(database)
        with database.write() as session:
            session.add_all(devices)
        with database.write() as session:
            presence.ensure_rows(session, NOON)
        self.directory = DeviceDirectory(database)
        self.intake = Intake(database, media, self.directory, IntakeMetrics(CollectorRegistry()))

    def take(self, where: str, payload: bytes, at: dt.datetime = NOON, **more: object) -> None:
        self.intake.process([Arrival(where, payload, at, **more)])

    def seen(self, device_id: str) -> DeviceObservation | None:
        with self.database.read() as session:
            row = session.get(DeviceObservation, device_id)
            if row is not None:
                session.expunge(row)
            return row

    def stage(self, device_id: str) -> str:
        with self.database.read() as session:
            return str(session.get_one(Device, device_id).stage)

    def reasons(self) -> list[str]:
        with self.database.read() as session:
            return list(session.scalars(select(DeadLetter.reason)))


@pytest.fixture
def site(either_database: Database, media: MediaStore) -> Site:
    quarantined = {"stage": Stage.QUARANTINED}
    return Site(
        either_database,
        media,
        device("new-1", DeviceKind.FACE_CAMERA, lane="gate-in", **quarantined),
        device("face-1", DeviceKind.DOOR, **FACE | quarantined),
    )


def test_what_a_quarantined_device_says_is_kept_aside_and_shown_to_the_installer(site: Site) -> None:
    site.take(topic("new-1", leaf="state"), state(at=NOON - dt.timedelta(seconds=3)))
    site.take(
        topic("new-1"),
        event("r-1", "face.captured", NOON - dt.timedelta(seconds=3), direction="in",
              images=[{"role": "face", "jpeg": JPEG64}]),
    )  # fmt: skip
    row = site.seen("new-1")
    assert row is not None
    assert (row.last_heard_at, row.picture_at, row.signed_in_at) == (NOON, NOON, NOON)
    assert (row.types, row.clock_offset_ms) == ({"face.captured": 1}, -3000)
    assert set(site.reasons()) == {"quarantined_device"}
    with site.database.read() as session:
        assert session.scalars(select(EventRow)).all() == []
    assert site.stage("new-1") == Stage.QUARANTINED


def test_what_the_broker_remembers_proves_no_clock_and_no_heartbeat(site: Site) -> None:
    site.take(topic("new-1", leaf="state"), state(at=NOON - dt.timedelta(days=2)), retained=True)
    row = site.seen("new-1")
    assert row is not None
    assert (row.first_heard_at, row.heartbeat_at, row.clock_offset_ms) == (NOON, None, None)


def test_topic_that_is_shared_does_not_prove_the_credential(site: Site) -> None:
    beat = json.dumps({"operator": "HeartBeat", "info": {"facesluiceId": "1305433"}}).encode()
    site.take("mqtt/face/heartbeat", beat)
    row = site.seen("face-1")
    assert row is not None
    assert (row.heartbeat_at, row.signed_in_at) == (NOON, None)
    site.take("mqtt/face/1305433/heartbeat", beat, NOON + dt.timedelta(seconds=30))
    row = site.seen("face-1")
    assert row is not None
    assert (row.heartbeat_s, row.signed_in_at) == (30.0, NOON + dt.timedelta(seconds=30))


def test_clock_that_stands_in_another_age_breaks_nothing(site: Site) -> None:
    site.take(topic("new-1"), event("r-1", "door.opened", dt.datetime(1, 1, 1, tzinfo=dt.UTC)))
    row = site.seen("new-1")
    assert row is not None
    assert row.clock_offset_ms is not None
    assert row.clock_offset_ms < -(10**12)


def test_believed_device_that_is_suddenly_another_one_is_believed_no_more(
    either_database: Database, media: MediaStore
) -> None:
    site = Site(either_database, media, device("face-1", DeviceKind.DOOR, **FACE))
    site.intake = Intake(
        either_database, media, site.directory, IntakeMetrics(CollectorRegistry()), pinned=("firmware",)
    )

    def online(firmware: str) -> bytes:
        info = {"facesluiceId": "1305433", "version": firmware, "ip": "10.0.0.7"}
        return json.dumps({"operator": "Online", "info": info}).encode()

    site.take("mqtt/face/1305433/basic", online("1.0"))
    site.take("mqtt/face/1305433/basic", online("1.0"), NOON + dt.timedelta(seconds=1))
    assert site.stage("face-1") == Stage.APPROVED
    site.take("mqtt/face/1305433/basic", online("9.9"), NOON + dt.timedelta(seconds=2))
    assert site.stage("face-1") == Stage.QUARANTINED
    # At once, and not when the registry happens to be read again.
    site.take("mqtt/face/1305433/basic", online("9.9"), NOON + dt.timedelta(seconds=3))
    assert site.reasons() == ["quarantined_device"]
    with site.database.read() as session:
        (told,) = session.scalars(select(EventRow.body).where(EventRow.type == "device.fault"))
    assert told["attributes"]["changed"] == ["firmware"]

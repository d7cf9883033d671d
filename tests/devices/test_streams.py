"""Where a camera's stream is read: near addresses only, its password sealed and never shown."""

import pytest
from sqlalchemy import select, text

from devices import registration, streams
from devices.models import Device, DeviceKind
from devices.near import PRIVATE, base_url, is_near, networks
from devices.stages import By
from devices.streams import DeviceStream, StreamGiven
from registry.errors import RefusedError
from storage import Database
from storage.audit import AuditRow
from tests.support.clock import NOON
from tests.support.compound import device, settle_in

BY = By("u-1", "administrator")
NEAR = networks(PRIVATE)
GIVEN = {"url": "http://192.168.10.21", "username": "reader", "password": "north-gate-7"}


@pytest.fixture
def settled(either_database: Database) -> Database:
    settle_in(either_database)
    with either_database.write() as session:
        session.add(device("hik-1", DeviceKind.PLATE_CAMERA, adapter="hikvision"))
        session.add(device("dahua-1", DeviceKind.SCENE_CAMERA, adapter="dahua", heartbeat_s=0))
    return either_database


def attach(database: Database, device_id: str = "hik-1", **changes: str | None) -> None:
    with database.write() as session:
        given = StreamGiven(**GIVEN | changes)
        streams.attach(session, session.get_one(Device, device_id), given, NEAR, NOON, BY)


def wanted(database: Database) -> list[streams.StreamWanted]:
    with database.read() as session:
        return streams.wanted(session)


def test_stream_is_kept_sealed_and_audited_without_its_password(settled: Database) -> None:
    attach(settled)
    (one,) = wanted(settled)
    assert (one.device_id, one.kind, one.url) == ("hik-1", "hikvision", "http://192.168.10.21")
    assert (one.username, one.password, one.heartbeat_s) == ("reader", "north-gate-7", 30)
    assert "north-gate-7" not in repr(one)
    with settled.read() as session:
        row = session.execute(text("SELECT username, password FROM device_streams")).one()
        entry = session.execute(
            select(AuditRow.actor, AuditRow.subject, AuditRow.detail).where(
                AuditRow.action == "device.stream_set"
            )
        ).one()
    assert b"reader" not in bytes(row.username)
    assert b"north-gate-7" not in bytes(row.password)
    assert tuple(entry) == ("u-1", "device:hik-1", "hikvision http://192.168.10.21")


def test_device_without_a_heartbeat_has_that_of_its_stream(settled: Database) -> None:
    attach(settled, "dahua-1", kind="dahua_pictures")
    assert [(one.kind, one.heartbeat_s) for one in wanted(settled)] == [("dahua_pictures", 5)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"url": "ftp://192.168.10.21"}, "stream_url_bad"),
        ({"url": "http://192.168.10.21/ISAPI"}, "stream_url_bad"),
        ({"url": "http://me:secret@192.168.10.21"}, "stream_url_bad"),
        ({"url": "http://"}, "stream_url_bad"),
        ({"url": "http://192.168.10.21:99999"}, "stream_url_bad"),
        ({"url": "http://8.8.8.8"}, "stream_address_refused"),
        ({"url": "http://169.254.169.254"}, "stream_address_refused"),
        ({"url": "http://127.0.0.1:8080"}, "stream_address_refused"),
        ({"url": "http://[::ffff:169.254.169.254]"}, "stream_address_refused"),
        ({"url": "http://[fe80::1]"}, "stream_address_refused"),
        ({"kind": "dahua"}, "stream_unknown"),
        ({"kind": "none"}, "stream_unknown"),
        ({"password": ""}, "stream_login_bad"),
        ({"username": "a\r\nX: b"}, "stream_login_bad"),
        ({"certificate": "no certificate"}, "stream_certificate_bad"),
    ],
)
def test_what_cannot_be_a_stream_is_refused(settled: Database, changes: dict[str, str], code: str) -> None:
    with pytest.raises(RefusedError, match=code):
        attach(settled, **changes)
    assert wanted(settled) == []


def test_adapter_without_a_stream_and_device_behind_a_gateway_have_none(settled: Database) -> None:
    with pytest.raises(RefusedError, match="stream_unknown"):
        attach(settled, "cam-1")
    with settled.write() as session:
        session.add(device("behind-1", DeviceKind.SCENE_CAMERA, adapter="hikvision", gateway="hik-1"))
    with pytest.raises(RefusedError, match="behind_gateway"):
        attach(settled, "behind-1")


def test_stream_turned_off_is_kept_and_not_read(settled: Database) -> None:
    attach(settled)
    with settled.write() as session:
        streams.switch(session, session.get_one(Device, "hik-1"), False, NOON, BY)
    assert wanted(settled) == []
    with settled.write() as session:
        assert session.get_one(DeviceStream, "hik-1").password == "north-gate-7"
        streams.switch(session, session.get_one(Device, "hik-1"), True, NOON, BY)
    assert len(wanted(settled)) == 1
    with settled.write() as session, pytest.raises(RefusedError, match="no_stream"):
        streams.switch(session, session.get_one(Device, "dahua-1"), True, NOON, BY)


def test_password_goes_with_the_device_and_with_its_maker(settled: Database) -> None:
    attach(settled)
    attach(settled, "dahua-1")
    with settled.write() as session:
        registration.retire(session, session.get_one(Device, "hik-1"), NOON, BY)
        registration.edit(session, session.get_one(Device, "dahua-1"), {"adapter": "native"}, NOON, BY)
    with settled.read() as session:
        assert session.scalars(select(DeviceStream)).all() == []
        done = session.scalars(select(AuditRow.subject).where(AuditRow.action == "device.stream_removed"))
        assert set(done) == {"device:hik-1", "device:dahua-1"}


def test_stream_of_a_disabled_device_is_not_read(settled: Database) -> None:
    attach(settled)
    with settled.write() as session:
        registration.edit(session, session.get_one(Device, "hik-1"), {"enabled": False}, NOON, BY)
    assert wanted(settled) == []


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("192.168.1.1", True),
        ("10.255.0.1", True),
        ("fd00::7", True),
        ("::ffff:10.0.0.1", True),
        ("172.32.0.1", False),
        ("::1", False),
        ("0.0.0.0", False),
        ("fe80::1%eth0", False),
        ("camera.example", False),
        ("", False),
    ],
)
def test_near_is_what_lies_in_the_named_networks(address: str, near: bool) -> None:
    assert is_near(address, NEAR) is near


def test_address_is_kept_as_scheme_host_and_port() -> None:
    assert base_url(" HTTP://Gate-1.example:8000/ ") == ("http://gate-1.example:8000", "gate-1.example")
    assert base_url("https://[FD00::7]:443") == ("https://[fd00::7]:443", "fd00::7")

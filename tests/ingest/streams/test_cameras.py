"""Cameras on loopback whose stream is read: a real HTTP server, the real spool and intake."""

import asyncio
import datetime as dt
import errno
import ipaddress
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import ingest.streams.attaching
import ingest.streams.cameras
import ingest.streams.streaming
from devices import presence
from devices import streams as registry
from devices.models import Device, DeviceKind
from devices.near import networks
from devices.stages import By
from devices.streams import DeviceStream, StreamGiven
from ingest.streams.cameras import StreamRules
from storage import Database, KeyRing, MediaStore
from storage.events import EventRow
from tests.support.cameras import PASSWORD, USER, Camera
from tests.support.clock import VirtualClock
from tests.support.compound import JPEG, device
from tests.support.pushed import PushedSite
from tests.support.waiting import until

LOOPBACK = networks("127.0.0.0/8")
BY = By("cli", "administrator")
HEAD = b'--boundary\r\nContent-Type: application/xml; charset="UTF-8"\r\nContent-Length: %d\r\n\r\n%s\r\n'
ALIVE = (
    b"<EventNotificationAlert><macAddress>44:19:b6:00:11:22</macAddress><dateTime>2026-11-23T12:00:00+08:00</dateTime>"
    b"<eventType>videoloss</eventType><eventState>inactive</eventState></EventNotificationAlert>"
)


def plate(number: int, inner: str = "") -> bytes:
    return (
        "<EventNotificationAlert><macAddress>44:19:b6:00:11:22</macAddress>"
        f"<dateTime>2026-11-23T12:00:{number:02}+08:00</dateTime><eventType>ANPR</eventType>"
        f"<eventState>active</eventState><UUID>invented-{number:04}</UUID>{inner}"
        "<ANPR><licensePlate>云M12345</licensePlate><confidenceLevel>97</confidenceLevel></ANPR>"
        "</EventNotificationAlert>"
    ).encode()


def told(content: bytes) -> bytes:
    return HEAD % (len(content), content)


def pictured(content: bytes = JPEG, length: bool = True) -> bytes:
    said = b"Content-Length: %d\r\n" % len(content) if length else b""
    return (
        b'--boundary\r\nContent-Type: application/octet-stream\r\nContent-Disposition: form-data; name="pic"\r\n'
        + said
        + b"\r\n"
        + content
        + b"\r\n"
    )


def invented(*numbers: int) -> list[str]:
    return [f"invented-{number:04}" for number in numbers]


class StreamSite(PushedSite):
    """The invented compound with two cameras that do not push; `hik-1` and `dahua-1`."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        with self.database.write() as session:
            session.add_all(
                [
                    device("hik-1", DeviceKind.PLATE_CAMERA, adapter="hikvision"),
                    device("dahua-1", DeviceKind.SCENE_CAMERA, adapter="dahua"),
                ]
            )
            session.flush()
            presence.ensure_rows(session, self.clock.now())

    def read(self, camera: Camera, device_id: str = "hik-1", **changes: Any) -> None:
        given = StreamGiven(**{"url": camera.url, "username": USER, "password": PASSWORD} | changes)
        with self.database.write() as session:
            row = session.get_one(Device, device_id)
            registry.attach(session, row, given, LOOPBACK, self.clock.now(), BY)

    def noted(self, device_id: str = "hik-1") -> DeviceStream:
        with self.database.read() as session:
            row = session.get_one(DeviceStream, device_id)
            session.expunge(row)
        return row

    async def says(self, error: str | None, device_id: str = "hik-1") -> None:
        await until(lambda: self.noted(device_id).error == error, f"the stream's error is {error}")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest.streams.cameras, "REFRESH_S", 0.05)
    monkeypatch.setattr(ingest.streams.streaming, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(ingest.streams.streaming, "LONGEST_WAIT_S", 0.1)
    monkeypatch.setattr(ingest.streams.streaming, "ROOM_RETRY_S", 0.05)


@pytest.fixture
def site(
    database: Database, media: MediaStore, ring: KeyRing, clock: VirtualClock, tmp_path: Path
) -> StreamSite:
    return StreamSite(database, media, ring, clock, tmp_path / "spool")


@pytest.fixture
async def running(site: StreamSite) -> AsyncIterator[StreamSite]:
    await asyncio.to_thread(site.pushing.start)
    yield site
    await asyncio.to_thread(site.pushing.stop)


@pytest.fixture
def camera() -> Iterator[Camera]:
    made = Camera()
    yield made
    made.stop()


@pytest.mark.parametrize("chunked", [False, True])
async def test_event_with_its_pictures_is_stored_once(running: StreamSite, chunked: bool) -> None:
    camera = Camera(chunked=chunked)
    running.read(camera)
    data = (
        told(ALIVE) + told(plate(1)) + pictured() + pictured(length=False) + told(plate(2)) + told(plate(1))
    )
    # Cut in half wherever it falls: in a boundary, a header, a picture.
    for start in range(0, len(data), 97):
        camera.say(data[start : start + 97])
    await running.stored(*invented(1, 2))
    first = next(row for row in running.rows(EventRow) if row.record_id == "invented-0001")
    assert (first.device_id, first.type, len(first.body["pictures"])) == ("hik-1", "plate.recognised", 2)
    assert camera.asked[0] == ("/ISAPI/Event/notification/alertStream", None, False)
    assert camera.asked[1] == ("/ISAPI/Event/notification/alertStream", "digest", True)
    await until(lambda: running.waiting() == 0, "the spool is empty")
    camera.stop()


async def test_event_does_not_wait_for_the_next_part(running: StreamSite, camera: Camera) -> None:
    running.read(camera)
    camera.say(told(plate(1)))
    await running.stored(*invented(1))
    # Without a length it is taken when it is whole and nothing more comes.
    camera.say(b"--boundary\r\nContent-Type: application/xml\r\n\r\n" + plate(2))
    await running.stored(*invented(1, 2))


async def test_keep_alive_brings_the_device_online_and_is_not_spooled_each_time(
    running: StreamSite, camera: Camera
) -> None:
    running.read(camera)
    camera.say(told(ALIVE) * 50)
    await until(lambda: any(row.type == "device.online" for row in running.rows(EventRow)), "it is online")
    camera.say(told(plate(1)) + told(ALIVE))
    await running.stored(*invented(1))
    assert running.metrics.get_sample_value("ringward_ingest_stream_messages_total") == 2
    noted = running.noted()
    assert noted.connected_since is not None
    assert noted.error is None


async def test_basic_is_enough_where_nothing_better_is_offered(running: StreamSite) -> None:
    camera = Camera(schemes=("basic",))
    running.read(camera)
    camera.say(told(plate(1)))
    await running.stored(*invented(1))
    assert [scheme for _, scheme, _ in camera.asked] == [None, "basic"]
    camera.stop()


async def test_digest_goes_before_basic(running: StreamSite) -> None:
    camera = Camera(schemes=("basic", "digest"))
    running.read(camera)
    camera.say(told(plate(1)))
    await running.stored(*invented(1))
    assert [scheme for _, scheme, _ in camera.asked] == [None, "digest"]
    camera.stop()


async def test_wrong_password_is_tried_once_until_it_is_given_anew(
    running: StreamSite, camera: Camera
) -> None:
    running.read(camera, password="guessed")
    await running.says("auth_failed")
    # Meanwhile another camera, that ends its stream each time, is called again and again.
    other = Camera()
    running.read(other, "dahua-1")
    for times in range(1, 5):
        await until(lambda: other.attached == times, "it is called again")  # noqa: B023
        other.say(b"--boundary\r\n")
        other.hang_up()
    assert [scheme for _, scheme, _ in camera.asked] == [None, "digest"]
    running.read(camera)
    camera.say(told(plate(1)))
    await running.stored(*invented(1))
    await running.says(None)
    other.stop()


async def test_camera_that_dies_is_called_again_and_its_half_event_is_none(
    running: StreamSite, camera: Camera
) -> None:
    running.read(camera)
    camera.say(told(plate(1)) + told(plate(2)) + pictured(b"\xff\xd8\xff half", length=False)[:-2])
    await until(lambda: running.records() == invented(1), "the first is stored")
    camera.stop()
    # The event that was whole is kept, with what came of its picture.
    await running.stored(*invented(1, 2))
    await running.says("unreachable")
    assert running.noted().connected_since is None
    camera.start()
    camera.say(told(plate(3))[:150])
    camera.hang_up()
    camera_back = camera.attached
    await until(lambda: camera.attached > camera_back, "it is called again")
    camera.say(told(plate(1)) + told(plate(4)))
    await running.stored(*invented(1, 2, 4))
    assert running.rows_of_letters() == []


async def test_stop_keeps_the_event_whose_pictures_had_not_come(
    site: StreamSite, camera: Camera, media: MediaStore, ring: KeyRing
) -> None:
    await asyncio.to_thread(site.pushing.start)
    site.read(camera)
    camera.say(told(plate(1)) + told(plate(2, "<picNum>2</picNum>")) + pictured())
    await site.stored(*invented(1))
    await asyncio.to_thread(site.pushing.stop)
    assert site.noted().connected_since is None
    site.pushing = site.renewed(media, ring)
    await asyncio.to_thread(site.pushing.start)
    await site.stored(*invented(1, 2))
    second = next(row for row in site.rows(EventRow) if row.record_id == "invented-0002")
    assert len(second.body["pictures"]) == 1
    await until(lambda: camera.attached == 2, "it is called again")
    await asyncio.to_thread(site.pushing.stop)


async def test_nothing_is_forgotten_while_the_disk_is_full(
    running: StreamSite, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.read(camera)
    camera.say(told(ALIVE))
    await until(lambda: running.noted().last_part_at, "it is attached")
    fsync, full = os.fsync, [True]

    def no_room(handle: int) -> None:
        if full[0]:
            raise OSError(errno.ENOSPC, "no space left")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", no_room)
    camera.say(told(plate(1)) + told(plate(2)))
    await running.says("no_room")
    assert running.records() == []
    full[0] = False
    await running.stored(*invented(1, 2))


async def test_dahua_events_come_as_they_are_told(running: StreamSite) -> None:
    camera = Camera(content_type="multipart/x-mixed-replace; boundary=myboundary")
    running.read(camera, "dahua-1")
    start = b'Code=VideoBlind;action=Start;index=0;data={\r\n   "LocaleTime" : "2026-11-23 12:00:00"\r\n}'
    for text in (b"Heartbeat", start, b"Code=VideoBlind;action=Stop;index=0"):
        camera.say(
            b"--myboundary\r\nContent-Type: text/plain\r\nContent-Length:%d\r\n\r\n%s\r\n\r\n"
            % (len(text), text)
        )
    await until(lambda: any(row.type == "video.occlusion" for row in running.rows(EventRow)), "it is stored")
    assert camera.asked[1][0] == "/cgi-bin/eventManager.cgi?action=attach&codes=[All]&heartbeat=30"
    camera.stop()


async def test_part_that_is_too_large_is_a_dead_letter_and_ends_nothing(
    running: StreamSite, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest.streams.streaming, "MAX_BYTES", 2000)
    running.read(camera)
    camera.say(told(plate(1)) + pictured(b"\xff\xd8\xff" + b"x" * 9000) + told(plate(2)))
    await running.stored(*invented(1, 2))
    await running.letters("too_large")
    assert running.metrics.get_sample_value("ringward_ingest_stream_lost_total", {"what": "part"}) == 1


async def test_what_is_no_event_lies_with_the_dead_letters(running: StreamSite, camera: Camera) -> None:
    running.read(camera)
    camera.say(told(b"<EventNotificationAlert><eventType>neverHeardOf</eventType></EventNotificationAlert>"))
    (letter,) = await running.letters("unknown_type")
    assert (letter.device_id, letter.topic) == ("hik-1", "/ISAPI/Event/notification/alertStream")


@pytest.mark.parametrize(("status", "code"), [(403, "forbidden"), (404, "not_found"), (503, "status_503")])
async def test_answer_that_says_no_is_a_code(running: StreamSite, status: int, code: str) -> None:
    camera = Camera(status=status)
    running.read(camera)
    await running.says(code)
    camera.stop()


async def test_redirect_is_not_followed(running: StreamSite) -> None:
    camera = Camera(schemes=(), status=302)
    running.read(camera)
    await running.says("status_302")
    camera.stop()


async def test_page_in_place_of_a_stream_is_called_so(running: StreamSite) -> None:
    camera = Camera(content_type="text/html")
    running.read(camera)
    camera.say(b"<html>" + b"sign in, please " * 5000)
    await running.says("not_a_stream")
    camera.stop()


async def test_silence_is_noticed(
    running: StreamSite, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest.streams.attaching, "PATIENCE", 0.01)
    running.read(camera)
    await running.says("silent")
    await until(lambda: camera.attached > 1, "it is called again")


async def test_name_that_leads_elsewhere_is_not_called(
    running: StreamSite, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = socket.getaddrinfo

    def elsewhere(host: Any, *given: Any, **named: Any) -> Any:
        if host not in {"camera.example", b"camera.example"}:
            return found(host, *given, **named)
        # One near, one a cloud's metadata.
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, camera.port))
            for address in ("127.0.0.1", "169.254.169.254")
        ]

    monkeypatch.setattr(socket, "getaddrinfo", elsewhere)
    running.read(camera, url=f"http://camera.example:{camera.port}")
    await running.says("address_refused")
    assert camera.asked == []


async def test_stream_that_is_turned_off_or_whose_device_is_retired_is_hung_up(
    running: StreamSite, camera: Camera
) -> None:
    running.read(camera)
    camera.say(told(plate(1)))
    await running.stored(*invented(1))

    def connected() -> float | None:
        return running.metrics.get_sample_value("ringward_ingest_streams", {"state": "connected"})

    assert connected() == 1
    with running.database.write() as session:
        registry.switch(session, session.get_one(Device, "hik-1"), False, running.clock.now(), BY)
    await until(lambda: connected() == 0, "it is hung up")
    assert running.noted().connected_since is None
    with running.database.write() as session:
        registry.switch(session, session.get_one(Device, "hik-1"), True, running.clock.now(), BY)
    await until(lambda: connected() == 1, "it is read again")
    running.change("hik-1", enabled=False)
    await until(lambda: connected() == 0, "it is hung up")


async def test_more_streams_than_are_read_say_so(
    site: StreamSite, camera: Camera, media: MediaStore, ring: KeyRing
) -> None:
    site.stream_rules = StreamRules(LOOPBACK, 1)
    site.pushing = site.renewed(media, ring)
    other = Camera()
    site.read(other, "dahua-1")
    site.read(camera)
    await asyncio.to_thread(site.pushing.start)
    await site.says("too_many")
    with site.database.write() as session:
        registry.detach(session, session.get_one(Device, "dahua-1"), site.clock.now(), BY)
    camera.say(told(plate(1)))
    await site.stored(*invented(1))
    await site.says(None)
    await asyncio.to_thread(site.pushing.stop)
    other.stop()


async def test_named_certificate_is_believed_and_no_other(running: StreamSite, tmp_path: Path) -> None:
    mine, context = certificate(tmp_path, "mine")
    other, _ = certificate(tmp_path, "other")
    camera = Camera(tls=context)
    running.read(camera, certificate=other)
    await running.says("tls_failed")
    running.read(camera)
    await running.says("tls_failed")
    assert camera.asked == []
    running.read(camera, certificate=mine)
    camera.say(told(plate(1)))
    await running.stored(*invented(1))
    camera.stop()


def certificate(folder: Path, name: str) -> tuple[str, ssl.SSLContext]:
    """A camera's own certificate, which names no address that anybody uses."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("192.168.1.64"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    file = folder / f"{name}.pem"
    file.write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return pem.decode(), context

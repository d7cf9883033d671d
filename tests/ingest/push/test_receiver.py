"""Real HTTP over loopback, real files, the real intake."""

import asyncio
import base64
import errno
import json
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import bcrypt
import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

import ingest.push.guessing
import ingest.push.pushing
import ingest.push.receiver
from devices.adapters.contract import MAX_BYTES
from ingest.push.spool import OVERHEAD, SpoolLimits
from storage import Database, KeyRing, MediaStore
from storage.events import EventRow
from tests.support.clock import VirtualClock
from tests.support.compound import SECRET, SECRET_HASH
from tests.support.native import event, state
from tests.support.pushed import PushedSite, opened
from tests.support.smalldisk import SIZE, small_disk
from tests.support.waiting import until

AWAY = OperationalError("the server closed the connection", None, Exception())
BINARY = (
    b"--\xff\x00edge\r\nContent-Type: image/jpeg\r\n\r\n" + bytes(range(256)) * 4000 + b"\r\n--\xff\x00edge--"
)
BASIC = base64.b64encode(f"cam-1:{SECRET}".encode()).decode()
HEAD = f"POST /push/cam-1/event HTTP/1.1\nHost: x\nAuthorization: Basic {BASIC}\n"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest.push.pushing, "REFRESH_S", 0.05)


@pytest.fixture
async def site(
    database: Database, media: MediaStore, ring: KeyRing, clock: VirtualClock, tmp_path: Path
) -> AsyncIterator[PushedSite]:
    async with opened(PushedSite(database, media, ring, clock, tmp_path / "spool")) as made:
        yield made


async def test_pushed_event_is_answered_in_the_vendors_words_and_stored(site: PushedSite) -> None:
    answer = await site.push("cam-1/event", event("r-1"))
    assert (answer.status_code, answer.json()) == (200, {"id": "r-1", "ok": True})
    assert answer.headers["content-type"] == "application/json"
    await site.stored("r-1")
    await until(lambda: site.waiting() == 0, "the spool is empty")
    assert [row.device_id for row in site.rows(EventRow) if row.record_id == "r-1"] == ["cam-1"]
    assert "server" not in answer.headers
    assert site.counted(200) == 1


async def test_put_is_as_good_and_a_connection_serves_many(site: PushedSite) -> None:
    for number in range(5):
        answer = await site.push("cam-1/event", event(f"r-{number}"), method="PUT")
        assert answer.status_code == 200
    await site.stored(*[f"r-{number}" for number in range(5)])


async def test_device_that_can_only_be_given_an_address_shows_its_secret_there(site: PushedSite) -> None:
    answer = await site.push(f"cam-1/key-{SECRET}/event", event("r-1"), secret=None)
    assert answer.status_code == 200
    # Firmware likes to add a slash of its own.
    answer = await site.push(f"cam-1/key-{SECRET}//event", event("r-2"), secret=None)
    assert answer.status_code == 200
    await site.stored("r-1", "r-2")


async def test_vendors_path_and_answer_are_the_adapters(site: PushedSite) -> None:
    answer = await site.push(
        f"uface-1/key-{SECRET}", b"deviceKey=UF-1&personCount=3&time=1795406400000", secret=None,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()) == (200, {"result": 1, "success": True})
    await until(lambda: any(row.device_id == "uface-1" for row in site.rows(EventRow)), "it is online")


async def test_call_without_a_body_says_it_in_its_query(site: PushedSite) -> None:
    answer = await site.push("uface-1/heart?deviceKey=UF-1&personCount=3&time=1795406400000&pass=x", b"")
    assert answer.status_code == 200
    await until(lambda: any(row.device_id == "uface-1" for row in site.rows(EventRow)), "it is online")
    await site.push("uface-1/heart?nothing=1&pass=terminals-own", b"")
    (letter,) = await site.letters("unknown_type")
    # Beside a body, the query is part of the path that the adapter sees.
    assert (letter.topic, letter.raw) == ("/heart", b"nothing=1")


async def test_query_beside_a_body_is_kept_without_its_passwords(site: PushedSite) -> None:
    await site.push("cam-1/some/where?format=json&password=hunter2", b"{}")
    (letter,) = await site.letters("wrong_topic")
    assert (letter.topic, letter.raw) == ("/some/where?format=json", b"{}")


async def test_state_is_a_sign_of_life(site: PushedSite) -> None:
    answer = await site.push("cam-1/state", state(at=site.clock.now()))
    assert (answer.status_code, answer.content) == (200, b"")
    await until(lambda: [row.type for row in site.rows(EventRow)] == ["device.online"], "it is online")


# ── What cannot be an event ──────────────────────────────────────────────────


async def test_refused_message_is_answered_so_and_kept_byte_for_byte(site: PushedSite) -> None:
    kind = "multipart/form-data; boundary=edge"
    answer = await site.push("cam-1/event", BINARY, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["reason"]) == (422, "malformed_json")
    (letter,) = await site.letters("malformed_json")
    assert (letter.raw, letter.size, letter.source, letter.device_id) == (
        BINARY,
        len(BINARY),
        "http",
        "cam-1",
    )
    assert letter.context["content_type"] == kind


async def test_message_that_we_trip_over_is_kept(site: PushedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    def trip(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("devices.adapters.native.decode_event", trip)
    answer = await site.push("cam-1/event", event("r-1"))
    assert answer.status_code == 200
    (letter,) = await site.letters("not_understood")
    assert letter.raw == event("r-1")


async def test_zero_in_an_address_does_not_stop_the_ones_behind_it(
    either_database: Database, media: MediaStore, ring: KeyRing, clock: VirtualClock, tmp_path: Path
) -> None:
    async with opened(PushedSite(either_database, media, ring, clock, tmp_path / "spool")) as site:
        assert (await site.push("cam-1/a%00b%1b%ff?x=%00", b"{}")).status_code == 200
        assert (await site.push("cam-1/event", event("r-1"))).status_code == 200
        await site.stored("r-1")
        (letter,) = await site.letters("wrong_topic")
        assert letter.topic.startswith("/a\ufffdb")


async def test_quarantined_device_is_answered_and_its_message_kept(site: PushedSite) -> None:
    answer = await site.push("new-1/event", event("r-1"))
    assert (answer.status_code, answer.json()["ok"]) == (200, True)
    (letter,) = await site.letters("quarantined_device")
    assert (letter.raw, letter.device_id) == (event("r-1"), "new-1")


# ── Who may push ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["cam-1/event", "nobody/event", "mute-1/event", "a%20b/event"])
@pytest.mark.parametrize("secret", ["wrong", "", "x" * 100, SECRET + "\0", "\ud7ff" * 30])
async def test_wrong_secret_and_unknown_device_are_answered_alike(
    site: PushedSite, path: str, secret: str
) -> None:
    answer = await site.push(path, event(), secret=secret)
    assert (answer.status_code, answer.text) == (401, "wrong device or secret\n")
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert site.waiting() == 0


async def test_refused_sign_ins_are_one_dead_letter_without_the_secret(
    site: PushedSite, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        await site.push("cam-1/event", b"the body", secret="mistyped-secret")
    await site.push("cam-1/key-mistyped-secret/event", b"the body", secret=None)
    await until(lambda: [one.count for one in site.rows_of_letters()] == [4], "counted")
    (letter,) = await site.letters("push_auth_failed")
    assert (letter.device_id, letter.raw, letter.topic) == ("cam-1", None, "")
    assert letter.context == {"client": "127.0.0.1"}
    said = capsys.readouterr()
    for word in ("mistyped-secret", SECRET, "the body", "/push/"):
        assert word not in repr(vars(letter)) + said.out + said.err


async def test_nothing_that_a_device_sends_stands_in_the_log(
    site: PushedSite, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.push(f"cam-1/key-{SECRET}/event", event("li-lei"), secret=None)
    await site.push("cam-1/li-lei?who=li-lei", b"li-lei")
    with monkeypatch.context() as patch:
        patch.setattr(site.pushing._spool, "put", lambda *_: (_ for _ in ()).throw(ValueError("li-lei")))
        assert (await site.push("cam-1/event", event("li-lei"))).status_code == 503
    await site.letters("wrong_topic")
    said = capsys.readouterr()
    assert "push.failed" in said.out + said.err
    for word in ("li-lei", SECRET):
        assert word not in said.out + said.err


async def test_device_without_a_credential_is_asked_for_it(site: PushedSite) -> None:
    answer = await site.push("cam-1/event", event("r-1"), secret=None)
    assert (answer.status_code, answer.headers["www-authenticate"][:5]) == (401, "Basic")
    (letter,) = await site.letters("push_auth_failed")
    assert letter.detail == "no credential"
    # One that brings it when asked does so each time: no dead letter then.
    assert (await site.push("cam-1/event", event("r-1"))).status_code == 200
    assert (await site.push("cam-1/event", event("r-2"), secret=None)).status_code == 401
    await site.push("nobody/event", b"", secret=None)
    found = await site.letters("push_auth_failed", "push_auth_failed")
    assert sorted((one.device_id or "", one.count) for one in found) == [("cam-1", 1), ("nobody", 1)]


@pytest.mark.parametrize(
    "header", ["Basic !!!", "Basic", "Basic bm8tY29sb24=", "Digest username=x", "Bearer x", "Basic /w=="]
)
async def test_header_that_is_no_credential_is_none(site: PushedSite, header: str) -> None:
    answer = await site.push("cam-1/event", event(), secret=None, headers={"Authorization": header})
    assert answer.status_code == 401


async def test_secret_is_hashed_once_and_then_recognised(
    site: PushedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = []
    real = bcrypt.checkpw

    def check(secret: bytes, hashed: bytes) -> bool:
        checks.append(1)
        return real(secret, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", check)
    for number in range(10):
        assert (await site.push("cam-1/event", event(f"r-{number}"))).status_code == 200
    assert len(checks) == 1
    assert SECRET not in repr(vars(site.pushing._pushers))
    # Another device's memory is no help, though all secrets of this compound are alike.
    await site.push("cam-2/event", event("r-1"))
    assert len(checks) == 2


async def test_changed_secret_ends_the_old_one_at_once(site: PushedSite) -> None:
    assert (await site.push("cam-1/event", event("r-1"))).status_code == 200
    site.change("cam-1", secret_hash=bcrypt.hashpw(b"another", bcrypt.gensalt(4)).decode())
    assert (await site.push("cam-1/event", event("r-2"))).status_code == 401
    assert (await site.push("cam-1/event", event("r-3"), secret="another")).status_code == 200
    await site.stored("r-1", "r-3")


async def test_during_a_rotation_both_secrets_count_until_it_is_over(site: PushedSite) -> None:
    site.change(
        "cam-1",
        secret_hash=bcrypt.hashpw(b"another", bcrypt.gensalt(4)).decode(),
        previous_secret_hash=SECRET_HASH,
        previous_secret_until=site.later(minutes=10),
    )
    for _ in range(2):
        assert (await site.push("cam-1/event", event("r-1"))).status_code == 200
        assert (await site.push("cam-1/event", event("r-1"), secret="another")).status_code == 200
    site.clock.advance(601)
    assert (await site.push("cam-1/event", event("r-1"))).status_code == 401
    assert (await site.push("cam-1/event", event("r-1"), secret="another")).status_code == 200


async def test_many_wrong_secrets_are_slowed_and_the_devices_own_is_not(site: PushedSite) -> None:
    assert (await site.push("cam-1/event", event("r-1"))).status_code == 200
    for _ in range(ingest.push.guessing.PAIR[0]):
        assert (await site.push("cam-1/event", event(), secret="guess")).status_code == 401
    answer = await site.push("cam-1/event", event(), secret="guess")
    assert (answer.status_code, int(answer.headers["retry-after"]) >= 1) == (429, True)
    assert (await site.push("cam-1/event", event("r-2"))).status_code == 200
    assert (await site.push("cam-2/event", event("r-3"))).status_code == 200


async def test_disabled_device_is_told_so_and_fills_no_disk(site: PushedSite) -> None:
    answer = await site.push("old-1/event", event())
    assert (answer.status_code, answer.text) == (403, "old-1 is disabled\n")
    (letter,) = await site.letters("disabled_device")
    assert (letter.raw, site.waiting()) == (None, 0)


async def test_device_that_does_not_push_is_told_so(site: PushedSite) -> None:
    answer = await site.push("mqtt-1/event", event())
    assert answer.status_code == 404
    assert answer.text == "mqtt-1 is registered as facesluice, whose devices do not push by HTTP\n"
    # Only to the device itself.
    assert (await site.push("mqtt-1/event", event(), secret="wrong")).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/push/cam-1/event", 405),
        ("POST", "/", 404),
        ("POST", "/push", 404),
        ("POST", "/api/v1/devices", 404),
        ("GET", "/docs", 404),
    ],
)
async def test_nothing_else_is_served(site: PushedSite, method: str, path: str, status: int) -> None:
    assert (await site.client.request(method, path, auth=("cam-1", SECRET))).status_code == status


# ── How much ─────────────────────────────────────────────────────────────────


async def test_too_large_a_body_is_refused_before_it_is_read(site: PushedSite) -> None:
    reader, writer = await site.raw(f"{HEAD}Content-Length: {MAX_BYTES + 1}\n\n", b"x" * 100)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in head.lower()
    # The connection ends: no more of it is read.
    with suppress(ConnectionResetError):
        await reader.read()
    writer.close()
    (letter,) = await site.letters("too_large")
    assert (letter.size, letter.raw, letter.device_id) == (MAX_BYTES + 1, None, "cam-1")
    assert site.waiting() == 0


async def test_body_that_does_not_say_how_large_it_is_is_read_up_to_the_limit(site: PushedSite) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536

    with suppress(httpx.WriteError, httpx.ReadError):
        answer = await site.push("cam-1/event", endless())
        assert answer.status_code == 413
    (letter,) = await site.letters("too_large")
    assert MAX_BYTES < letter.size < MAX_BYTES + 1024 * 1024
    assert site.waiting() == 0


async def test_largest_body_is_taken(site: PushedSite) -> None:
    body = event("r-1", note="x" * (MAX_BYTES - len(event("r-1", note=""))))
    assert len(body) == MAX_BYTES
    assert (await site.push("cam-1/event", body)).status_code == 200
    await site.stored("r-1")


async def test_device_that_reads_the_answer_only_after_sending_hears_it(site: PushedSite) -> None:
    for body in (b"x" * 500_000, b""):
        answer = await site.push("cam-1/event", body, secret="wrong")
        assert (answer.status_code, "connection" in answer.headers) == (401, False)


async def test_body_that_ends_in_the_middle_is_no_message(site: PushedSite) -> None:
    _, writer = await site.raw(f"{HEAD}Content-Length: 1000\n\n", b"x" * 500)
    writer.close()
    await until(lambda: site.counted(400) == 1, "it is noticed")
    assert (await site.push("cam-1/event", event("r-1"))).status_code == 200
    await site.stored("r-1")
    assert site.rows_of_letters() == []


async def test_body_that_does_not_come_is_not_waited_for_for_ever(
    site: PushedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest.push.receiver, "BODY_S", 0.1)
    reader, writer = await site.raw(f"{HEAD}Content-Length: 1000\n\n", b"x" * 500)
    assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
    writer.close()
    assert site.waiting() == 0


async def test_burst_of_large_pictures_is_taken_within_the_room_there_is(site: PushedSite) -> None:
    room, most = site.pushing._receiver._room, []
    real = site.pushing._spool.put

    def put(*given: object) -> object:
        most.append(ingest.push.receiver.BODIES_BYTES - room._free)
        return real(*given)

    site.pushing._spool.put = put  # type: ignore[method-assign]
    bodies = [event(f"r-{number}", note="x" * 4_000_000) for number in range(20)]
    answers = await asyncio.gather(
        *[site.push(f"{('cam-1', 'cam-2', 'door-1')[n % 3]}/event", body) for n, body in enumerate(bodies)]
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len(most) == 20
    assert max(most) <= 3 * ingest.push.receiver.BODIES_A_DEVICE * len(bodies[0]) + 100
    await site.stored(*[f"r-{number}" for number in range(20)])


# ── What can go wrong behind it ──────────────────────────────────────────────


async def test_locked_database_keeps_nobody_waiting(site: PushedSite) -> None:
    locked, release = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def lock() -> None:
        with site.database.write() as session:
            session.execute(text("UPDATE devices SET name = name"))
            loop.call_soon_threadsafe(locked.set)
            asyncio.run_coroutine_threadsafe(release.wait(), loop).result(60)

    holding = asyncio.create_task(asyncio.to_thread(lock))
    await locked.wait()
    for number in range(5):
        assert (await site.push("cam-1/event", event(f"r-{number}"))).status_code == 200
    assert (site.records(), site.waiting()) == ([], 5)
    release.set()
    await holding
    await site.stored(*[f"r-{number}" for number in range(5)])


async def test_database_that_is_away_keeps_nobody_out(
    site: PushedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise AWAY

    with monkeypatch.context() as patch:
        patch.setattr(site.database, "read", away)
        patch.setattr(site.database, "write", away)
        for number in range(3):
            assert (await site.push("cam-1/event", event(f"r-{number}"))).status_code == 200
        assert (await site.push("cam-2/event", event("r-3"))).status_code == 200
        assert (await site.push("cam-2/event", event("r-4"), secret="wrong")).status_code == 401
    await site.stored("r-0", "r-1", "r-2", "r-3")
    await site.letters("push_auth_failed")


@pytest.mark.parametrize("which", ["file", "folder"])
async def test_failed_fsync_is_no_acknowledgement(
    site: PushedSite, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    real = os.fsync

    def fail(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}")
        if site.spool in (path.resolve(), path.resolve().parent) and path.is_dir() == (which == "folder"):
            raise OSError(errno.EIO, "Input/output error")
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        answer = await site.push("cam-1/event", event("r-1"))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert site.waiting() == 0
    assert (await site.push("cam-1/event", event("r-2"))).status_code == 200
    await site.stored("r-2")


async def test_full_disk_is_no_acknowledgement(
    database: Database, media: MediaStore, ring: KeyRing, clock: VirtualClock, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with small_disk(tmp_path / "small", monkeypatch) as folder:
        async with opened(PushedSite(database, media, ring, clock, folder / "spool")) as site:
            monkeypatch.setattr(site.pushing._spool, "_check_room", lambda _size: None)
            answer = await site.push("cam-1/event", event("large", note="x" * 2 * SIZE))
            assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
            assert site.waiting() == 0
            assert (await site.push("cam-1/event", event("small"))).status_code == 200
            await site.stored("small")


async def test_full_spool_is_said_before_the_body_is_sent(
    database: Database, media: MediaStore, ring: KeyRing, clock: VirtualClock, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    limits = SpoolLimits(2 * OVERHEAD + 1000, 0)
    async with opened(PushedSite(database, media, ring, clock, tmp_path / "spool", limits)) as site:
        with monkeypatch.context() as patch:
            patch.setattr(site.intake, "process", lambda _batch: (_ for _ in ()).throw(AWAY))
            for number in range(3):
                await site.push("cam-1/event", event(f"r-{number}", note="x" * 2000))
            reader, writer = await site.raw(f"{HEAD}Expect: 100-continue\nContent-Length: {2 * OVERHEAD}\n\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 503 ")
            writer.close()
        taken = site.counted(200)
        assert taken >= 1
        await until(lambda: len(site.records()) == taken, "exactly what was promised is stored")


async def test_what_is_in_the_spool_at_the_start_is_stored_first(
    database: Database, media: MediaStore, ring: KeyRing, clock: VirtualClock, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    async with opened(PushedSite(database, media, ring, clock, tmp_path / "spool")) as site:
        monkeypatch.setattr(site.intake, "process", lambda _batch: (_ for _ in ()).throw(AWAY))
        assert json.loads((await site.push("cam-1/event", event("r-1"))).content)["ok"] is True
        assert site.waiting() == 1
    monkeypatch.undo()
    site.pushing = site.renewed(media, ring)
    await asyncio.to_thread(site.pushing.start)
    await site.stored("r-1")
    await asyncio.to_thread(site.pushing.stop)

"""The spool's promises: nothing is promised that is not on the disk, and nothing on it is lost."""

import errno
import os
import random
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ingest.push.spool
from ingest.push.spool import (
    MAGIC,
    OVERHEAD,
    Spool,
    SpoolBusyError,
    SpoolFileError,
    SpoolFullError,
    SpoolLimits,
    look_at,
    sealed_by,
)
from storage import KeyRing
from tests.support.clock import NOON, VirtualClock
from tests.support.smalldisk import SIZE, small_disk
from tests.support.threads import at_once

LIMITS = SpoolLimits(64 * 1024 * 1024, 0)
MULTIPART = (
    b'--\xff\x00border\r\nContent-Disposition: form-data; name="pic"\r\nContent-Type: image/jpeg\r\n\r\n'
    + bytes(range(256)) * 40
    + b"\r\n--\xff\x00border--\r\n"
)


@pytest.fixture
def spools(tmp_path: Path, ring: KeyRing, clock: VirtualClock) -> Iterator["Spools"]:
    made = Spools(tmp_path / "spool", ring, clock)
    yield made
    made.end()


class Spools:
    """One folder and the processes, so to speak, that use it one after another."""

    def __init__(self, folder: Path, ring: KeyRing, clock: VirtualClock) -> None:
        self.folder = folder
        self.ring = ring
        self.clock = clock
        self._opened: list[Spool] = []
        self.strange: list[str] = []

    def start(self, limits: SpoolLimits = LIMITS, folder: Path | None = None) -> Spool:
        """What a killed process held is free: its lock goes with it."""
        self.end()
        spool = Spool(folder or self.folder, self.ring, self.clock, limits)
        self.strange = spool.open()
        self._opened.append(spool)
        return spool

    def end(self) -> None:
        for spool in self._opened:
            spool.close()

    def files(self, pattern: str = "*.msg") -> list[Path]:
        return sorted(self.folder.glob(pattern))


def put(spool: Spool, payload: bytes = b"{}", topic: str = "/event") -> None:
    spool.put("cam-1", topic, payload, "application/json")


def payloads(spool: Spool) -> list[bytes]:
    return [found.payload for number in spool.waiting(1000) if (found := spool.read(number)) is not None]


@pytest.mark.parametrize("payload", [b"", b"{}", MULTIPART, random.Random(7).randbytes(4_000_000)])
def test_message_comes_back_byte_for_byte_after_a_restart(spools: Spools, payload: bytes) -> None:
    kind = 'multipart/form-data; boundary="\xff border"'
    told = spools.start().put("cam-1", "/a/b?c=%20d", payload, kind)
    spool = spools.start()
    (number,) = spool.waiting(10)
    found = spool.read(number)
    assert found == told
    assert found is not None
    assert (found.topic, found.payload, found.content_type) == ("/a/b?c=%20d", payload, kind)
    assert (found.signed_in, found.received_at) == ("cam-1", NOON)


@given(payload=st.binary(max_size=5000), topic=st.text(max_size=50), kind=st.none() | st.text(max_size=50))
@settings(max_examples=60, deadline=None)
def test_any_message_comes_back_as_it_was(payload: bytes, topic: str, kind: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder) / "spool", KeyRing({1: bytes(32)}), VirtualClock(), LIMITS)
        spool.open()
        told = spool.put("cam-1", topic, payload, kind)
        assert (told.topic, told.payload, told.content_type) == (topic, payload, kind)
        assert spool.read(spool.waiting(1)[0]) == told
        spool.close()


def test_no_plain_byte_lies_on_the_disk(spools: Spools) -> None:
    put(spools.start(), b"a face, as bytes" * 100, "/visitor/li-lei")
    (file,) = spools.files()
    content = file.read_bytes()
    assert content.startswith(MAGIC)
    for word in (b"a face", b"li-lei", b"cam-1", b"json"):
        assert word not in content
    assert file.stat().st_mode & 0o777 == 0o600
    assert spools.folder.stat().st_mode & 0o777 == 0o700


def test_order_is_that_of_receipt(spools: Spools) -> None:
    spool = spools.start()
    for number in range(20):
        put(spool, str(number).encode())
        spools.clock.advance(0.000001 if number % 2 else 3)
    assert payloads(spool) == [str(number).encode() for number in range(20)]
    assert payloads(spools.start()) == [str(number).encode() for number in range(20)]


def test_clock_that_is_set_back_brings_nothing_before_what_came_earlier(spools: Spools) -> None:
    put(spools.start(), b"first")
    spools.clock.advance(-3600)
    spool = spools.start()
    put(spool, b"second")
    put(spool, b"third")
    assert payloads(spool) == [b"first", b"second", b"third"]


def test_nothing_is_taken_in_before_an_earlier_one_that_is_still_being_written(
    spools: Spools, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, real = spools.start(), os.fsync
    slow, writing = threading.Event(), threading.Event()

    def fsync(handle: int) -> None:
        if threading.current_thread().name == "slow" and not writing.is_set():
            writing.set()
            assert slow.wait(20)
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    first = threading.Thread(target=put, args=(spool, b"slow"), name="slow")
    first.start()
    assert writing.wait(20)
    spools.clock.advance(1)
    put(spool, b"fast")
    assert payloads(spool) == []
    slow.set()
    first.join(20)
    assert payloads(spool) == [b"slow", b"fast"]


def test_half_written_file_is_never_read_and_goes_at_the_next_start(spools: Spools) -> None:
    put(spools.start(), b"whole")
    (whole,) = spools.files()
    half = whole.with_name(f"{int(whole.stem) + 1:020d}.part")
    half.write_bytes(whole.read_bytes()[:50])
    spool = spools.start()
    assert payloads(spool) == [b"whole"]
    assert not half.exists()
    assert spools.strange == []


@pytest.mark.parametrize("which", ["file", "folder"])
def test_failed_fsync_promises_nothing_and_leaves_nothing(
    spools: Spools, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    spool, real = spools.start(), os.fsync

    def fail(handle: int) -> None:
        is_folder = Path(f"/proc/self/fd/{handle}").is_dir()
        if is_folder == (which == "folder"):
            raise OSError(errno.EIO, "Input/output error")
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="Input/output"):
            put(spool, b"lost?")
    assert (payloads(spool), spool.state().size, spools.files("*.*")) == ([], 0, [])
    put(spool, b"again")
    assert payloads(spools.start()) == [b"again"]


def test_full_disk_promises_nothing_and_leaves_nothing(
    spools: Spools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "small", monkeypatch) as folder:
        spool = spools.start(folder=folder / "spool")
        put(spool, b"x" * (SIZE // 2))
        # As if the disk filled up between the look at it and the writing.
        with monkeypatch.context() as patch:
            patch.setattr(spool, "_check_room", lambda _size: None)
            with pytest.raises(OSError) as failed:
                put(spool, b"y" * SIZE)
        assert failed.value.errno == errno.ENOSPC
        assert len(list((folder / "spool").glob("*.*"))) == 1
        # And what has room goes on to be taken.
        put(spool, b"small")
        assert payloads(spools.start(folder=folder / "spool")) == [b"x" * (SIZE // 2), b"small"]
        spools.end()


def test_spool_takes_no_more_than_it_may(spools: Spools) -> None:
    spool = spools.start(SpoolLimits(3 * OVERHEAD, 0))
    put(spool, b"x" * OVERHEAD)
    spool.admit(1000)
    with pytest.raises(SpoolFullError, match="the spool is full"):
        spool.admit(OVERHEAD + 1)
    with pytest.raises(SpoolFullError):
        put(spool, b"x" * (OVERHEAD + 1))
    (number,) = spool.waiting(1)
    spool.done(number)
    put(spool, b"x" * (OVERHEAD + 1))
    assert spool.state().messages == 1


def test_spool_leaves_the_database_its_part_of_the_disk(spools: Spools) -> None:
    spool = spools.start(SpoolLimits(2**40, 2**60))
    with pytest.raises(SpoolFullError, match="the disk is nearly full"):
        put(spool)
    assert spools.files("*.*") == []


def test_many_writers_at_once_lose_nothing(spools: Spools) -> None:
    spool = spools.start()
    assert (
        at_once(8, lambda writer: [put(spool, f"{writer}-{number}".encode()) for number in range(25)]) == []
    )
    expected = {f"{writer}-{number}".encode() for writer in range(8) for number in range(25)}
    assert set(payloads(spool)) == expected
    again = payloads(spools.start())
    assert (len(again), set(again)) == (200, expected)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: b"X" + content[1:],
        lambda content: content[:20] + bytes([content[20] ^ 1]) + content[21:],
        lambda content: content[:-5] + bytes([content[-5] ^ 1]) + content[-4:],
        lambda content: MAGIC + ingest.push.spool._checksum(b"") + b"",
        lambda content: MAGIC + ingest.push.spool._checksum(b"\x01no seal") + b"\x01no seal",
    ],
    ids=["empty", "cut", "not ours", "checksum", "content", "nothing sealed", "no seal"],
)
def test_corrupt_file_is_not_read(spools: Spools, spoil: object) -> None:
    put(spools.start())
    (file,) = spools.files()
    file.write_bytes(spoil(file.read_bytes()))
    spool = spools.start()
    (number,) = spool.waiting(10)
    with pytest.raises(SpoolFileError):
        spool.read(number)


def test_file_that_is_set_aside_is_never_seen_again_and_deleted_in_time(spools: Spools) -> None:
    spool = spools.start()
    put(spool, b"first")
    spools.clock.advance(1)
    put(spool, b"second")
    name = spool.set_aside(spool.waiting(1)[0])
    assert payloads(spool) == [b"second"]
    spool = spools.start()
    assert payloads(spool) == [b"second"]
    assert (spool.state().messages, spool.state().aside) == (1, 1)
    assert (spools.folder / "aside" / name).exists()
    spools.clock.advance(29 * 86400)
    assert spool.sweep_aside(30) == 0
    spools.clock.advance(2 * 86400)
    assert spool.sweep_aside(30) == 1
    assert spool.state().aside == 0


def test_strange_file_is_moved_aside_once(spools: Spools) -> None:
    spools.start()
    (spools.folder / "holiday.jpg").write_bytes(b"?")
    (spools.folder / "1.msg").symlink_to("holiday.jpg")
    spool = spools.start()
    assert sorted(spools.strange) == ["1.msg", "holiday.jpg"]
    assert spool.waiting(10) == []
    spools.start()
    assert spools.strange == []


def test_file_that_somebody_took_away_is_not_waited_for(spools: Spools) -> None:
    spool = spools.start()
    put(spool)
    (number,) = spool.waiting(10)
    spools.files()[0].unlink()
    assert spool.read(number) is None
    spool.done(number)
    assert (spool.waiting(10), spool.state().size) == ([], 0)


def test_one_process_has_the_folder(spools: Spools) -> None:
    spool = spools.start()
    other = Spool(spools.folder, spools.ring, spools.clock, LIMITS)
    with pytest.raises(SpoolBusyError):
        other.open()
    put(spool)
    spool.close()
    other.open()
    assert payloads(other) == [b"{}"]
    other.close()


def test_batch_has_so_many_bytes_and_at_least_one_message(spools: Spools) -> None:
    spool = spools.start()
    for size in (5000, 10, 10, 9000):
        put(spool, b"x" * size)
    assert [len(spool.waiting(10, most)) for most in (1, 5200, 5600, 100_000)] == [1, 1, 3, 4]
    assert len(spool.waiting(2)) == 2


def test_state_is_what_waits(spools: Spools) -> None:
    spool = spools.start()
    assert (spool.state().messages, spool.state().size, spool.state().oldest_s) == (0, 0, 0)
    put(spool, b"x" * 100)
    spools.clock.advance(90)
    put(spool)
    assert (spool.state().messages, spool.state().oldest_s) == (2, 90)
    assert spool.state().size == sum(file.stat().st_size for file in spools.files())
    assert look_at(spools.folder, spools.clock) == spool.state()


def test_spool_opens_what_an_older_key_sealed_and_says_which(spools: Spools) -> None:
    spool = spools.start()
    put(spool, b"old")
    spool.set_aside(spool.waiting(1)[0])
    put(spool, b"older")
    spools.ring.rotate()
    put(spool, b"new")
    assert payloads(spool) == [b"older", b"new"]
    assert sealed_by(spools.folder) == {1: 2, 2: 1}


def test_file_whose_key_is_gone_is_said_to_be_so(spools: Spools) -> None:
    put(spools.start())
    spools.ring = KeyRing({7: bytes(32)})
    spool = spools.start()
    with pytest.raises(SpoolFileError, match="sealed with key 1"):
        spool.read(spool.waiting(1)[0])

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from storage import KeyRing
from storage.keys import STALE_S, KeyInUseError
from storage.secretfile import make_once
from tests.support.threads import at_once

SEAL = """
import sys
from pathlib import Path
from storage import KeyRing
sys.stdout.write(KeyRing.load(Path(sys.argv[1])).seal(b'plain').hex())
"""
OLD = KeyRing({1: b"\x01" * 32})
BOTH = KeyRing({1: b"\x01" * 32, 2: b"\x02" * 32})


@given(st.binary(max_size=200))
def test_what_was_sealed_opens(plain: bytes) -> None:
    sealed = OLD.seal(plain)
    assert OLD.open(sealed) == plain
    assert sealed != OLD.seal(plain)
    assert len(plain) < 8 or plain not in sealed


def test_after_a_rotation_the_old_key_still_opens_and_the_new_one_seals(tmp_path: Path) -> None:
    path = tmp_path / "ring.key"
    before = KeyRing.load(path)
    sealed, looked_up = before.seal(b"plain"), before.fingerprint("media", "x")
    with path.open("a") as file:
        file.write(f"2 {'ab' * 32}\n")
    after = KeyRing.load(path)
    assert after.open(sealed) == b"plain"
    # What was indexed before the rotation must still be found.
    assert after.fingerprint("media", "x") == looked_up
    # A process that runs meanwhile reads the file again when it meets the new key.
    assert before.open(after.seal(b"plain")) == b"plain"
    with pytest.raises(KeyError):
        before.open(b"\x07" + sealed[1:])


def test_altered_bytes_and_other_keys_do_not_open() -> None:
    sealed = bytearray(BOTH.seal(b"plain"))
    sealed[-1] ^= 1
    with pytest.raises(InvalidTag):
        BOTH.open(bytes(sealed))
    with pytest.raises(InvalidTag):
        KeyRing({2: b"\x03" * 32}).open(BOTH.seal(b"plain"))


@pytest.mark.parametrize("keys", [{}, {1: b"short"}])
def test_ring_needs_whole_keys(keys: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        KeyRing(keys)


def test_fingerprint_depends_on_purpose_and_value() -> None:
    prints = {OLD.fingerprint(purpose, value) for purpose in ("a", "b") for value in ("x", "y")}
    assert len(prints) == 4
    assert all(len(found) == 64 for found in prints)


def test_key_file_is_for_its_owner_only(tmp_path: Path) -> None:
    KeyRing.load(tmp_path / "keys" / "ring.key")
    assert stat.S_IMODE((tmp_path / "keys" / "ring.key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["ring.key"]


def test_second_process_reads_the_key_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "ring.key"
    elsewhere = [
        subprocess.Popen([sys.executable, "-c", SEAL, str(path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ring = KeyRing.load(path)
    for process in elsewhere:
        sealed, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert ring.open(bytes.fromhex(sealed)) == b"plain"


def test_file_is_never_seen_before_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A process that starts in the very moment another one writes must not read an empty key.
    path, seen = tmp_path / "secret", []
    real = os.fsync

    def looking(handle: int) -> None:
        seen.append(path.exists())
        real(handle)

    monkeypatch.setattr(os, "fsync", looking)
    make_once(path, "whole")
    assert seen == [False]
    assert path.read_text() == "whole"


def test_who_comes_first_wins(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    assert at_once(8, lambda number: make_once(path, f"secret {number}")) == []
    first = path.read_text()
    assert first in {f"secret {number}" for number in range(8)}
    make_once(path, "another")
    assert path.read_text() == first
    assert [found.name for found in tmp_path.iterdir()] == ["secret"]


class Minutes:
    """A monotonic clock that a test moves, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_rotation_adds_a_key_that_lasts(tmp_path: Path) -> None:
    path = tmp_path / "ring.key"
    ring = KeyRing.load(path)
    sealed, looked_up = ring.seal(b"plain"), ring.fingerprint("media", "x")
    assert ring.rotate() == 2
    assert (ring.numbers, ring.newest, ring.seal(b"new")[0]) == ((1, 2), 2, 2)
    assert ring.open(sealed) == b"plain"
    assert ring.fingerprint("media", "x") == looked_up
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert KeyRing.load(path).open(ring.seal(b"new")) == b"new"
    assert [found.name for found in tmp_path.iterdir()] == ["ring.key"]


def test_rotation_is_on_the_disk_before_anything_is_sealed_with_it(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "ring.key"
    ring = KeyRing.load(path)
    real, synced = os.fsync, []

    def observe(handle: int) -> None:
        synced.append((Path(f"/proc/self/fd/{handle}").readlink().name, len(KeyRing.load(path).numbers)))
        real(handle)

    monkeypatch.setattr(os, "fsync", observe)
    ring.rotate()
    (draft, before), (folder, after) = synced
    assert draft.endswith(".part")
    assert (folder, before, after) == (tmp_path.name, 1, 2)


def test_another_process_seals_with_the_new_key_soon_and_opens_it_at_once(tmp_path: Path) -> None:
    path, clock = tmp_path / "ring.key", Minutes()
    ring = KeyRing.load(path)
    other = KeyRing({1: ring._keys[1]}, path, monotonic=clock)
    ring.rotate()
    assert other.seal(b"still")[0] == 1
    assert other.open(ring.seal(b"plain")) == b"plain"
    third = KeyRing({1: ring._keys[1]}, path, monotonic=clock)
    ring.rotate()
    clock.now += STALE_S
    assert third.seal(b"now")[0] == 3


def test_two_who_rotate_at_once_lose_no_key(tmp_path: Path) -> None:
    path = tmp_path / "ring.key"
    KeyRing.load(path)
    assert at_once(4, lambda _: KeyRing.load(path).rotate()) == []
    assert KeyRing.load(path).numbers == (1, 2, 3, 4, 5)


def test_full_disk_leaves_the_ring_as_it_was(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "ring.key"
    ring = KeyRing.load(path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError):
            ring.rotate()
    assert ring.seal(b"plain")[0] == 1
    assert KeyRing.load(path).numbers == (1,)
    assert [found.name for found in tmp_path.iterdir()] == ["ring.key"]


def test_only_a_key_in_between_can_be_retired(tmp_path: Path) -> None:
    ring = KeyRing.load(tmp_path / "ring.key")
    ring.rotate()
    sealed = ring.seal(b"plain")
    ring.rotate()
    for number in (1, 3, 9):
        with pytest.raises(KeyInUseError):
            ring.retire(number)
    ring.retire(2)
    assert KeyRing.load(tmp_path / "ring.key").numbers == (1, 3)
    with pytest.raises(KeyError):
        ring.open(sealed)


def test_number_of_a_key_has_one_byte() -> None:
    ring = KeyRing(dict.fromkeys((1, 255), b"k" * 32))
    with pytest.raises(ValueError, match="255"):
        ring.rotate()

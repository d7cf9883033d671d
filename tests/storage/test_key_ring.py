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

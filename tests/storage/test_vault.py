"""One key for each person: what is sealed with it goes with it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import KeyRing, Vault
from storage.vault import STALE_S, ShreddedError
from tests.support.clock import NOON
from tests.support.threads import at_once

SUBJECT = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)


class Ticker:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'keys.db'}"
        return
    with request.getfixturevalue("postgres").database() as database:
        yield database.url


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing.load(tmp_path / "ring.key")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(subject=SUBJECT, field=SUBJECT, plain=st.binary(max_size=100))
def test_what_was_sealed_opens_for_the_same_subject_and_field(
    vault: Vault, subject: str, field: str, plain: bytes
) -> None:
    sealed = vault.seal(subject, field, plain)
    assert vault.open(subject, field, sealed) == plain
    with pytest.raises(InvalidTag):
        vault.open(subject, field + "x", sealed)


def test_one_persons_bytes_do_not_open_with_anothers_key(url: str, ring: KeyRing) -> None:
    vault = Vault(url, ring)
    sealed = vault.seal("p1", "name", b"plain")
    vault.create(["p2"])
    with pytest.raises(InvalidTag):
        vault.open("p2", "name", sealed)
    with pytest.raises(ShreddedError):
        vault.open("p3", "name", sealed)
    vault.close()


def test_shredded_is_gone_for_good(url: str, ring: KeyRing) -> None:
    vault = Vault(url, ring)
    sealed = vault.seal("p1", "name", b"plain")
    assert vault.shred(["p1"], NOON) == 1
    assert vault.shred(["p1"], NOON) == 0
    for attempt in (lambda: vault.open("p1", "name", sealed), lambda: vault.seal("p1", "name", b"again")):
        with pytest.raises(ShreddedError):
            attempt()
    with pytest.raises(ShreddedError):
        vault.create(["p0", "p1"])
    assert [(subject, at) for _, subject, at in vault.shredded()] == [("p1", NOON)]
    vault.close()


def test_another_process_forgets_within_a_second(url: str, ring: KeyRing) -> None:
    clock = Ticker()
    here, there = Vault(url, ring), Vault(url, ring, monotonic=clock)
    sealed = here.seal("p1", "name", b"plain")
    assert there.open("p1", "name", sealed) == b"plain"
    here.shred(["p1"], NOON)
    clock.now += STALE_S
    with pytest.raises(ShreddedError):
        there.open("p1", "name", sealed)
    here.close()
    there.close()


def test_a_shredded_key_is_not_in_the_files(tmp_path: Path, ring: KeyRing) -> None:
    vault = Vault.at(tmp_path / "keys" / "vault.db", ring)
    vault.seal("somebody", "name", b"plain")
    wrapped = vault.engine.connect().exec_driver_sql("SELECT wrapped FROM subject_keys").scalar_one()

    def on_disk() -> bytes:
        return b"".join(path.read_bytes() for path in (tmp_path / "keys").iterdir())

    assert wrapped in on_disk()
    vault.shred(["somebody"], NOON)
    assert wrapped not in on_disk()
    vault.close()


def test_two_that_meet_a_new_subject_at_once_agree_on_its_key(url: str, ring: KeyRing) -> None:
    vaults = [Vault(url, ring) for _ in range(4)]
    sealed: dict[int, bytes] = {}
    wrong = at_once(4, lambda number: sealed.update({number: vaults[number].seal("p1", "name", b"plain")}))
    assert wrong == []
    assert [vaults[0].open("p1", "name", one) for one in sealed.values()] == [b"plain"] * 4
    for vault in vaults:
        vault.close()


def test_rewrapping_needs_the_old_ring_no_more(url: str, tmp_path: Path) -> None:
    old = KeyRing({1: b"\x01" * 32})
    vault = Vault(url, old)
    sealed = vault.seal("p1", "name", b"plain")
    vault.close()
    both = Vault(url, KeyRing({1: b"\x01" * 32, 2: b"\x02" * 32}))
    assert both.wrapped_by() == {1: 1}
    assert both.rewrap() == 1
    assert both.wrapped_by() == {2: 1}
    assert both.rewrap() == 0
    both.close()
    newest = Vault(url, KeyRing({2: b"\x02" * 32}))
    assert newest.open("p1", "name", sealed) == b"plain"
    newest.close()


def test_file_is_for_its_owner_alone(tmp_path: Path, ring: KeyRing) -> None:
    vault = Vault.at(tmp_path / "keys" / "vault.db", ring)
    vault.create(["p1"])
    assert (tmp_path / "keys" / "vault.db").stat().st_mode & 0o777 == 0o600
    vault.close()


def test_a_key_survives_a_kill_right_after_it_was_made(tmp_path: Path, ring: KeyRing) -> None:
    code = (
        "import os, sys; from pathlib import Path; from storage import KeyRing, Vault;"
        f"v = Vault.at(Path({str(tmp_path)!r}) / 'v.db', KeyRing.load(Path({str(tmp_path)!r}) / 'ring.key'));"
        "sys.stdout.write(v.seal('p1', 'name', b'plain').hex()); sys.stdout.flush(); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == -9
    vault = Vault.at(tmp_path / "v.db", ring)
    assert vault.open("p1", "name", bytes.fromhex(done.stdout)) == b"plain"
    vault.close()

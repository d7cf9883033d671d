"""What the doctor says of the machine: rights, disk, clocks, certificates."""

import datetime as dt
import os
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ringward.checkup import Finding, Level, machine, worst
from ringward.settings import Settings
from tests.support.clock import NOON

DAY = dt.timedelta(days=1)


def test_exit_code_is_that_of_the_worst() -> None:
    well, soon, bad = Finding("a", True, ""), Finding("b", False, "", grave=False), Finding("c", False, "")
    assert [int(worst(given)) for given in ([], [well], [well, soon], [soon, bad, well])] == [0, 0, 1, 2]


@pytest.mark.parametrize(
    ("mode", "level"), [(0o700, Level.OK), (0o750, Level.OK), (0o755, Level.WARN), (0o770, Level.FAIL)]
)
def test_who_may_look_into_the_data_directory_and_write_there(
    tmp_path: Path, mode: int, level: Level
) -> None:
    tmp_path.chmod(mode)
    assert machine.rights(tmp_path).level is level


def test_a_disk_is_judged_by_its_middle_write_and_nothing_is_left_there(tmp_path: Path) -> None:
    assert len(machine.sync_times(tmp_path, 3)) == 3
    assert list(tmp_path.iterdir()) == []
    assert machine.disk([0.001, 0.001, 9.0]).level is Level.OK
    assert machine.disk([0.06, 0.06, 0.001]).level is Level.WARN
    assert machine.disk([0.6, 0.6, 0.001]).level is Level.FAIL


def chrony(folder: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    tool = folder / "chronyc"
    tool.write_text(f"#!/bin/sh\necho '{answer}'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("answer", "offset"),
    [
        ("A9FEA97B,169.254.169.123,4,1700000000.1,-0.000004,0.00001", -0.000004),
        ("A9FEA97B,169.254.169.123,4,1700000000.1,1.25,0.00001", 1.25),
        ("7F7F0101,,0,0.0,0.0,0.0", None),
        ("506 Cannot talk to daemon", None),
    ],
)
def test_chrony_says_how_far_the_clock_is_off_where_it_has_a_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, offset: float | None
) -> None:
    chrony(tmp_path, monkeypatch, answer)
    assert machine.chrony_offset() == offset


def test_a_clock_that_is_off_or_follows_nobody_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chrony(tmp_path, monkeypatch, "x,y,4,1,0.0001,0")
    monkeypatch.setattr(machine.machine, "synchronised", lambda: True)
    assert machine.clock().level is Level.OK
    monkeypatch.setattr(machine.machine, "synchronised", lambda: False)
    assert machine.clock().level is Level.WARN
    chrony(tmp_path, monkeypatch, "x,y,4,1,-2.5,0")
    monkeypatch.setattr(machine.machine, "synchronised", lambda: True)
    assert machine.clock().level is Level.WARN


def certificate(path: Path, ends: dt.datetime) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(ends - 365 * DAY)
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize(
    ("left", "level"), [(30 * DAY, Level.OK), (20 * DAY, Level.WARN), (-DAY, Level.FAIL)]
)
def test_certificates_that_end_soon_are_told(tmp_path: Path, left: dt.timedelta, level: Level) -> None:
    settings = Settings().model_copy(update={"http_cert_file": certificate(tmp_path / "c.pem", NOON + left)})
    (found,) = machine.certificates(settings, NOON)
    assert (found.check, found.level) == ("certificate http_cert_file", level)


def test_certificates_that_are_none_or_not_there_are_told(tmp_path: Path) -> None:
    path = tmp_path / "c.pem"
    settings = Settings().model_copy(update={"http_cert_file": path})
    assert "No such file" in next(machine.certificates(settings, NOON)).seen
    path.write_text("nothing")
    assert "no certificate" in next(machine.certificates(settings, NOON)).seen

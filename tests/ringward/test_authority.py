"""The private authority: what it issues, what it refuses, and what others say to its certificates."""

import datetime as dt
import json
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from typer.testing import CliRunner

from ringward import authority
from ringward.authority import Authority, AuthorityError, KeyType, Kind, Reason
from ringward.cli import app

AT = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
PASSPHRASE = b"long enough for a test"
YEAR = 365


@pytest.fixture
def made(tmp_path: Path) -> Authority:
    return Authority.create(tmp_path / "ca", PASSPHRASE, "Willow Court", AT, 10 * YEAR, YEAR)


def certificate(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)


def test_its_key_is_sealed_and_opens_with_the_passphrase_alone(made: Authority) -> None:
    key = made.folder / authority.KEY
    assert b"ENCRYPTED" in key.read_bytes()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert Authority.open(made.folder, PASSPHRASE).certificate == made.certificate
    with pytest.raises(AuthorityError, match="passphrase"):
        Authority.open(made.folder, b"another passphrase")


def test_second_authority_does_not_take_the_first_ones_place(made: Authority) -> None:
    before = (made.folder / authority.CERTIFICATE).read_bytes()
    with pytest.raises(AuthorityError, match="already"):
        Authority.create(made.folder, PASSPHRASE, "again", AT, YEAR, YEAR)
    assert (made.folder / authority.CERTIFICATE).read_bytes() == before


def test_certificate_says_whose_it_is_what_for_and_until_when(made: Authority) -> None:
    issued = made.issue("mqtt", Kind.SERVER, ["mqtt.example", "10.20.0.5"], AT, 90, KeyType.EC)
    found = certificate(issued.certificate)
    found.verify_directly_issued_by(made.certificate)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["mqtt.example"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["10.20.0.5"]
    uses = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [x509.ExtendedKeyUsageOID.SERVER_AUTH]
    assert found.not_valid_after_utc == AT + dt.timedelta(days=90)


def test_one_that_would_outlive_the_authority_is_refused(made: Authority) -> None:
    with pytest.raises(AuthorityError, match="outlive"):
        made.issue("mqtt", Kind.SERVER, ["mqtt.example"], AT, 11 * YEAR, KeyType.EC)
    assert authority.listed(made.folder) == []


@pytest.mark.parametrize("name", ["", "../mqtt", "a b", ".hidden", "x" * 65])
def test_name_that_is_no_file_name_is_refused(made: Authority, name: str) -> None:
    with pytest.raises(AuthorityError, match="name holds"):
        made.issue(name, Kind.CLIENT, [], AT, 90, KeyType.EC)


def test_server_without_a_name_to_call_it_by_is_refused(made: Authority) -> None:
    with pytest.raises(AuthorityError, match="called"):
        made.issue("mqtt", Kind.SERVER, [], AT, 90, KeyType.EC)


def test_renewed_one_has_the_same_names_and_another_key_and_the_old_one_lives_on(made: Authority) -> None:
    first = made.issue("mqtt", Kind.PEER, ["mqtt.example"], AT, 90, KeyType.RSA)
    with pytest.raises(AuthorityError, match="renew"):
        made.issue("mqtt", Kind.PEER, ["mqtt.example"], AT, 90, KeyType.RSA)
    later = AT + dt.timedelta(days=60)
    second = made.renew("mqtt", later, 90)
    assert (second.entry.names, second.entry.kind) == (first.entry.names, Kind.PEER)
    assert second.key != first.key
    assert [entry.good(later) for entry in authority.listed(made.folder)] == [True, True]


def test_revoked_one_stands_in_the_list_with_every_certificate_of_its_name(made: Authority) -> None:
    made.issue("cam-1", Kind.CLIENT, [], AT, 90, KeyType.EC)
    made.renew("cam-1", AT, 90)
    made.issue("cam-2", Kind.CLIENT, [], AT, 90, KeyType.EC)
    made.revoke("cam-1", AT, Reason.KEY_COMPROMISE, 30)
    crl = x509.load_pem_x509_crl((made.folder / authority.REVOKED).read_bytes())
    assert crl.is_signature_valid(made.certificate.public_key())
    taken = {entry.serial for entry in authority.listed(made.folder) if entry.name == "cam-1"}
    assert {f"{one.serial_number:x}" for one in crl} == taken
    assert len(taken) == 2
    assert crl.next_update_utc == AT + dt.timedelta(days=30)
    with pytest.raises(AuthorityError, match="revoked"):
        made.renew("cam-1", AT, 90)
    # Its name is free again, for a device that was only lost.
    assert made.issue("cam-1", Kind.CLIENT, [], AT, 90, KeyType.EC).entry.good(AT)


def test_key_is_handed_out_to_its_owner_alone(made: Authority, tmp_path: Path) -> None:
    issued = made.issue("cam-1", Kind.CLIENT, [], AT, 90, KeyType.EC)
    files = authority.hand_out(issued, tmp_path / "out", made.folder)
    assert [path.name for path in files] == ["cam-1.key", "cam-1.crt", "ca.crt"]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    ssl.create_default_context().load_cert_chain(files[1], files[0])
    # Nothing of a key stays with the authority.
    kept = [path.name for path in made.folder.iterdir() if b"PRIVATE KEY" in path.read_bytes()]
    assert kept == [authority.KEY]


def test_commands_lead_from_nothing_to_a_revoked_certificate(tmp_path: Path) -> None:
    folder, secret, out = str(tmp_path / "ca"), tmp_path / "pass", tmp_path / "out"
    secret.write_text("correct horse battery\n")
    opened = ["--passphrase-file", str(secret)]

    def say(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, ["ca", *words])
        assert done.exit_code == code, done.output
        return done.output

    say("init", folder, *opened)
    server = ["--kind", "server", "--san", "10.20.0.5"]
    say("issue", folder, "mqtt", *server, *opened, "--out", str(out))
    say("issue", folder, "mqtt", *server, *opened, "--out", str(out), code=1)
    say("issue", folder, "cam-1", "--kind", "client", "--days", "20", *opened, "--out", str(out))
    assert "cam-1" in say("list", folder, "--soon", "30", code=1)
    say("renew", folder, "cam-1", *opened, "--out", str(out))
    say("list", folder, "--soon", "30")
    say("revoke", folder, "cam-1", *opened)
    say("crl", folder, *opened)
    found = json.loads(say("list", folder, "--json"))
    assert [(one["name"], one["revoked_at"] is None) for one in found["issued"]] == [
        ("mqtt", True),
        ("cam-1", False),
        ("cam-1", False),
    ]
    secret.write_text("too short\n")
    assert "12" in say("crl", folder, *opened, code=1)

"""A private certificate authority in a folder: for brokers, databases, consoles and devices of one site.

Its key is sealed by a passphrase and signs certificates directly; there is nothing between. What it
has issued stands in `index.json`, what it has taken back in `revoked.crl`. Keys of others are handed
out once and never kept.

X.509 as in RFC 5280; P-256 and SHA-256, or RSA of 3072 bits for devices that know no curves.
"""

import datetime as dt
import fcntl
import ipaddress
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CERTIFICATE: Final = "ca.crt"
KEY: Final = "ca.key"
INDEX: Final = "index.json"
REVOKED: Final = "revoked.crl"

# Clocks of devices run behind; a certificate of this minute would not be valid there yet.
_BACKDATED: Final = dt.timedelta(hours=1)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Kind(StrEnum):
    """What a certificate is good for."""

    SERVER = "server"
    CLIENT = "client"
    # Servers of one cluster call each other: each is both.
    PEER = "peer"


class KeyType(StrEnum):
    """What kind of key."""

    EC = "ec"
    RSA = "rsa"


class Reason(StrEnum):
    """Why a certificate is taken back (RFC 5280, 5.3.1)."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keyCompromise"
    SUPERSEDED = "superseded"
    CESSATION = "cessationOfOperation"


class AuthorityError(Exception):
    """Something that the authority will not do; the message says what."""


class Entry(msgspec.Struct, frozen=True):
    """A certificate that was issued. `serial` is hexadecimal: it is longer than JSON's numbers."""

    name: str
    kind: Kind
    names: tuple[str, ...]
    key_type: KeyType
    serial: str
    issued_at: dt.datetime
    ends_at: dt.datetime
    revoked_at: dt.datetime | None = None
    reason: Reason | None = None

    def good(self, at: dt.datetime) -> bool:
        return self.revoked_at is None and at < self.ends_at


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate in PEM, and its key, which nobody else has."""

    entry: Entry
    certificate: bytes
    key: bytes


class Authority:
    """An authority that is opened with its passphrase. Every moment is an argument, in UTC."""

    def __init__(self, folder: Path, certificate: x509.Certificate, key: _PrivateKey) -> None:
        self.folder = folder
        self.certificate = certificate
        self._key = key

    @classmethod
    def create(
        cls, folder: Path, passphrase: bytes, name: str, at: dt.datetime, days: int, crl_days: int
    ) -> "Authority":
        """Makes one in a new folder. Raises `AuthorityError` where there is one already."""
        if (folder / KEY).exists() or (folder / CERTIFICATE).exists():
            raise AuthorityError(f"{folder} holds an authority already")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(at - _BACKDATED)
            .not_valid_after(at + dt.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        sealed = serialization.BestAvailableEncryption(passphrase)
        _write(folder / KEY, _pem(key, sealed), 0o600)
        _write(folder / CERTIFICATE, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
        _write(folder / INDEX, b"[]\n", 0o600)
        authority = cls(folder, certificate, key)
        authority.sign_revoked(at, crl_days)
        return authority

    @classmethod
    def open(cls, folder: Path, passphrase: bytes) -> "Authority":
        """Raises `AuthorityError` where there is none, or where the passphrase is another."""
        try:
            sealed = (folder / KEY).read_bytes()
            certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
        except OSError as error:
            raise AuthorityError(f"no authority in {folder}: {error.strerror}") from None
        try:
            key = serialization.load_pem_private_key(sealed, passphrase)
        except ValueError:
            raise AuthorityError("the passphrase does not open the authority's key") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise AuthorityError("the authority's key is of a kind that signs nothing here")
        return cls(folder, certificate, key)

    def issue(
        self, name: str, kind: Kind, names: Sequence[str], at: dt.datetime, days: int, key_type: KeyType
    ) -> Issued:
        """A fresh key and its certificate; `names` are host names and addresses.

        Raises `AuthorityError` for a name that has a good certificate: that one is renewed or revoked.
        """
        with self._index() as entries:
            if any(entry.name == name and entry.good(at) for entry in entries):
                raise AuthorityError(f"{name} has a certificate: renew it, or revoke it first")
            issued = self._make(name, kind, names, at, days, key_type)
            entries.append(issued.entry)
        return issued

    def renew(self, name: str, at: dt.datetime, days: int) -> Issued:
        """A fresh key and certificate of the same kind and names; the old one is good until its end.

        Raises `AuthorityError` for a name that has none, or whose last one was revoked.
        """
        with self._index() as entries:
            last = _last(entries, name)
            if last.revoked_at is not None:
                raise AuthorityError(f"{name} was revoked: issue a new one if it may come back")
            issued = self._make(name, last.kind, last.names, at, days, last.key_type)
            entries.append(issued.entry)
        return issued

    def revoke(self, name: str, at: dt.datetime, reason: Reason, crl_days: int) -> list[Entry]:
        """Takes back every certificate of this name that is good, and signs the list anew."""
        with self._index() as entries:
            _last(entries, name)
            good = [entry for entry in entries if entry.name == name and entry.good(at)]
            if not good:
                raise AuthorityError(f"{name} has no certificate that is still good")
            taken = [msgspec.structs.replace(entry, revoked_at=at, reason=reason) for entry in good]
            entries[:] = [entry for entry in entries if entry not in good] + taken
            self._sign(entries, at, crl_days)
        return taken

    def sign_revoked(self, at: dt.datetime, crl_days: int) -> None:
        """Signs the list of what was revoked anew; a broker lets nobody in once the list is too old."""
        with self._index() as entries:
            self._sign(entries, at, crl_days)

    def _make(
        self, name: str, kind: Kind, names: Sequence[str], at: dt.datetime, days: int, key_type: KeyType
    ) -> Issued:
        if not _NAME.fullmatch(name):
            raise AuthorityError("a name holds letters, digits, dots, - and _, 64 at most")
        if kind is not Kind.CLIENT and not names:
            raise AuthorityError("a server needs the names or addresses by which it is called")
        ends = at + dt.timedelta(days=days)
        if ends > self.certificate.not_valid_after_utc:
            raise AuthorityError(
                "it would outlive the authority: ask for fewer days, or make a new authority"
            )
        key = _new_key(key_type)
        serial = x509.random_serial_number()
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(serial)
            .not_valid_before(at - _BACKDATED)
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(_PURPOSES[kind]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_alternative(one) for one in names]), critical=False
            )
        certificate = builder.sign(self._key, hashes.SHA256())
        entry = Entry(name, kind, tuple(names), key_type, f"{serial:x}", at, ends)
        return Issued(
            entry,
            certificate.public_bytes(serialization.Encoding.PEM),
            _pem(key, serialization.NoEncryption()),
        )

    def _sign(self, entries: Sequence[Entry], at: dt.datetime, crl_days: int) -> None:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(at - _BACKDATED)
            .next_update(at + dt.timedelta(days=crl_days))
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .add_extension(x509.CRLNumber(int(at.timestamp())), critical=False)
        )
        for entry in entries:
            if entry.revoked_at is None:
                continue
            revoked = (
                x509.RevokedCertificateBuilder()
                .serial_number(int(entry.serial, 16))
                .revocation_date(entry.revoked_at)
            )
            # RFC 5280, 5.3.1: an unspecified reason is left out.
            if entry.reason is not None and entry.reason is not Reason.UNSPECIFIED:
                flag = x509.CRLReason(x509.ReasonFlags(entry.reason.value))
                revoked = revoked.add_extension(flag, critical=False)
            builder = builder.add_revoked_certificate(revoked.build())
        signed = builder.sign(self._key, hashes.SHA256())
        _write(self.folder / REVOKED, signed.public_bytes(serialization.Encoding.PEM), 0o644)

    @contextmanager
    def _index(self) -> Iterator[list[Entry]]:
        """The index, alone; written back on leaving without an error."""
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            entries = listed(self.folder)
            yield entries
            _write(self.folder / INDEX, msgspec.json.format(msgspec.json.encode(entries)) + b"\n", 0o600)


def listed(folder: Path) -> list[Entry]:
    """What an authority has issued, the oldest first; no passphrase is needed.

    Raises `AuthorityError` where there is none.
    """
    try:
        return msgspec.json.decode((folder / INDEX).read_bytes(), type=list[Entry])
    except OSError as error:
        raise AuthorityError(f"no authority in {folder}: {error.strerror}") from None


def list_ends(folder: Path) -> dt.datetime | None:
    """Until when the list of what was revoked is taken by brokers."""
    return x509.load_pem_x509_crl((folder / REVOKED).read_bytes()).next_update_utc


def hand_out(issued: Issued, folder: Path, authority: Path) -> list[Path]:
    """Writes NAME.crt, NAME.key (0600) and ca.crt into a folder; each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    name = issued.entry.name
    written = [(f"{name}.key", issued.key, 0o600), (f"{name}.crt", issued.certificate, 0o644)]
    written.append((CERTIFICATE, (authority / CERTIFICATE).read_bytes(), 0o644))
    for file, content, mode in written:
        _write(folder / file, content, mode)
    return [folder / file for file, _, _ in written]


_PURPOSES: Final = {
    Kind.SERVER: [ExtendedKeyUsageOID.SERVER_AUTH],
    Kind.CLIENT: [ExtendedKeyUsageOID.CLIENT_AUTH],
    Kind.PEER: [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
}


def _last(entries: Sequence[Entry], name: str) -> Entry:
    found = [entry for entry in entries if entry.name == name]
    if not found:
        raise AuthorityError(f"nothing was issued to {name}")
    return max(found, key=lambda entry: entry.issued_at)


def _new_key(key_type: KeyType) -> _PrivateKey:
    if key_type is KeyType.RSA:
        return rsa.generate_private_key(public_exponent=65537, key_size=3072)
    return ec.generate_private_key(ec.SECP256R1())


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        # TLS 1.2 with RSA keys, as old devices speak it.
        key_encipherment=not signs,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: _PrivateKey, sealed: serialization.KeySerializationEncryption) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all: a broker may read it at any moment."""
    partial = path.with_name(f"{path.name}.part")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, mode)
        file.write(content)
        file.flush()
        os.fsync(handle)
    partial.replace(path)

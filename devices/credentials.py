"""What a device signs in with: a user name and a secret, at the broker and at the HTTP receivers.

The user name is the device's id. A rotation with an overlap lets the old secret work for some
minutes more, and no broker knows two passwords of one user: so the new secret comes with a new
user name, the id and a number behind a dot (`gate1-cam.2`). Ids hold no dots, so nobody else is
called that. Both are entered on the device's configuration page at once.
"""

import base64
import datetime as dt
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from devices.adapters.contract import Rights
from devices.directory import every
from devices.models import Device
from devices.rights import rights_of
from devices.secrets import hash_secret, new_secret

# Mosquitto's own default. Random secrets of 192 bits need no slow hash (see `devices.secrets`).
_ITERATIONS: Final = 101
_SALT_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Credential:
    """A fresh secret, to be shown once: `user` and `secret` go into the device."""

    user: str
    secret: str


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody whom a broker lets in, and on which topics.

    `bcrypt_hash` is what nats-server and EMQX read, `pbkdf2_hash` what Mosquitto reads; the
    latter is None for a secret from before it was kept.
    """

    user: str
    device_id: str
    compound: str
    bcrypt_hash: str
    pbkdf2_hash: str | None
    rights: Rights


def issue(device: Device, at: dt.datetime, overlap: dt.timedelta = dt.timedelta(0)) -> Credential:
    """Gives a device a new secret. With an overlap the present one works for so long beside it.

    Without, the user name stays and whoever knows the old secret is out as soon as the broker
    has read its users again.
    """
    if overlap > dt.timedelta(0) and device.secret_hash:
        device.previous_secret_hash = device.secret_hash
        device.previous_secret_pbkdf2 = device.secret_pbkdf2
        device.previous_secret_until = at + overlap
        device.secret_number += 1
    else:
        _drop_previous(device)
    secret = new_secret()
    device.secret_hash = hash_secret(secret)
    device.secret_pbkdf2 = pbkdf2(secret)
    return Credential(user_of(device.id, device.secret_number), secret)


def withdraw(device: Device) -> None:
    """No secret of this device works any more."""
    _drop_previous(device)
    device.secret_hash = ""
    device.secret_pbkdf2 = None


def user_of(device_id: str, number: int) -> str:
    """The user name of a device's n-th secret."""
    return device_id if number == 1 else f"{device_id}.{number}"


def device_of(user: str) -> str:
    """The device that signs in under a user name."""
    return user.partition(".")[0]


def logins(session: Session, at: dt.datetime) -> list[Login]:
    """Everybody whom a broker is to let in now, by device.

    A quarantined device is let in: it has to be heard before anybody can believe it. One that
    is disabled or retired, or that speaks through a gateway or by HTTP alone, is not.
    """
    found: list[Login] = []
    known = every(session)
    for device in session.scalars(select(Device).where(Device.enabled).order_by(Device.id)):
        rights = rights_of(known[device.id])
        if not rights.publish and not rights.subscribe:
            continue
        found += [
            Login(user, device.id, device.compound, hashed, slow, rights)
            for user, hashed, slow in _secrets(device, at)
        ]
    return found


def pbkdf2(secret: str) -> str:
    """A hash as Mosquitto 2 reads it: $7$iterations$salt$hash, PBKDF2 with SHA-512."""
    salt = secrets.token_bytes(_SALT_BYTES)
    hashed = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, _ITERATIONS)
    return f"$7${_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(hashed).decode()}"


def _secrets(device: Device, at: dt.datetime) -> Iterator[tuple[str, str, str | None]]:
    """The secrets that work now, as (user, bcrypt, PBKDF2), the newest first."""
    if device.secret_hash:
        yield user_of(device.id, device.secret_number), device.secret_hash, device.secret_pbkdf2
    until = device.previous_secret_until
    if device.previous_secret_hash and until is not None and at < until:
        previous = user_of(device.id, device.secret_number - 1)
        yield previous, device.previous_secret_hash, device.previous_secret_pbkdf2


def _drop_previous(device: Device) -> None:
    device.previous_secret_hash = device.previous_secret_pbkdf2 = device.previous_secret_until = None

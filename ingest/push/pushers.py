"""Who may push, and with which secret: in memory, since pushes are taken in while the database is away."""

import datetime as dt
import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass
from typing import Final

import bcrypt
from sqlalchemy import select

from devices.models import Device
from devices.secrets import BCRYPT_COST
from storage import Clock, Database

# Checked where nobody has that name, so that the time of an answer does not tell.
_NOBODY: Final = bcrypt.hashpw(secrets.token_bytes(24).hex().encode(), bcrypt.gensalt(BCRYPT_COST)).decode()
# bcrypt reads no more, and ours have 32 characters.
_LONGEST: Final = 72


@dataclass(frozen=True, slots=True)
class Pusher:
    """A registered device. `hashes` are the bcrypt hashes of its secrets, each with its last moment."""

    device_id: str
    adapter: str
    enabled: bool
    hashes: tuple[tuple[str, dt.datetime | None], ...]

    def working(self, at: dt.datetime) -> tuple[str, ...]:
        """The hashes that count now: during a rotation two."""
        return tuple(hashed for hashed, until in self.hashes if until is None or at < until)


class Pushers:
    """All registered devices and their secrets, safe to use from several threads.

    A secret that was right is remembered as a keyed hash, in memory and under a key of this
    process: a camera shows it with every picture, and bcrypt is slow by design.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[str, Pusher] = {}
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        # By device: what was shown, as a keyed hash, and the bcrypt hash that it agreed with.
        self._shown: dict[str, dict[bytes, str]] = {}

    def refresh(self) -> None:
        """Reads the registry again. When that fails, what was read before goes on to hold."""
        with self._database.read() as session:
            rows = session.execute(
                select(
                    Device.id,
                    Device.adapter,
                    Device.enabled,
                    Device.secret_hash,
                    Device.previous_secret_hash,
                    Device.previous_secret_until,
                )
            ).all()
        known = {
            row.id: Pusher(
                row.id,
                row.adapter,
                row.enabled,
                _hashes(row.secret_hash, row.previous_secret_hash, row.previous_secret_until),
            )
            for row in rows
        }
        with self._lock:
            self._known = known
            self._shown = {device: shown for device, shown in self._shown.items() if device in known}

    def has_signed_in(self, device_id: str) -> bool:
        """Whether the device has shown a right secret since this process began."""
        return device_id in self._shown

    def recognised(self, device_id: str, secret: str) -> Pusher | None:
        """The device, if it has shown this secret before and the secret still counts. Fast."""
        pusher = self._known.get(device_id)
        if pusher is None:
            return None
        shown = self._keyed(device_id, secret)
        working = pusher.working(self._clock.now())
        with self._lock:
            before = list(self._shown.get(device_id, {}).items())
        found = [hashed in working for known, hashed in before if hmac.compare_digest(known, shown)]
        return pusher if any(found) else None

    def verified(self, device_id: str, secret: str) -> Pusher | None:
        """The device whose secret this is; None for a wrong one and for nobody alike. Takes a hash's time."""
        pusher = self._known.get(device_id)
        working = () if pusher is None else pusher.working(self._clock.now())
        found = [hashed for hashed in working or (_NOBODY,) if _agrees(secret, hashed)]
        if pusher is None or not working or not found:
            return None
        with self._lock:
            kept = {
                known: hashed for known, hashed in self._shown.get(device_id, {}).items() if hashed in working
            }
            self._shown[device_id] = kept | {self._keyed(device_id, secret): found[0]}
        return pusher

    def _keyed(self, device_id: str, secret: str) -> bytes:
        return hmac.new(self._key, f"{device_id}\x1f{secret}".encode(), hashlib.sha256).digest()


def _hashes(
    present: str, previous: str | None, until: dt.datetime | None
) -> tuple[tuple[str, dt.datetime | None], ...]:
    """Without a secret nobody can sign in, not even with an empty one."""
    found: list[tuple[str, dt.datetime | None]] = [(present, None)] if present else []
    if previous and until is not None:
        found.append((previous, until))
    return tuple(found)


def _agrees(secret: str, hashed: str) -> bool:
    given = secret.encode()
    fits = len(given) <= _LONGEST and b"\0" not in given
    try:
        # Asked in any case, for the time it takes.
        agrees = bcrypt.checkpw(given if fits else b"-", hashed.encode())
    except ValueError:
        return False
    return fits and agrees

"""The secrets of the demo's simulated devices: hashed in the database, plain in a file of the demo's own.

A real device keeps its secret itself and Ringward only the hash. The simulated ones have
nowhere else to keep theirs than a file beside the data, readable by its owner alone.
"""

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from devices.models import Device
from devices.secrets import hash_secret


@dataclass(frozen=True, slots=True)
class DemoCredentials:
    """The compound's id, and the MQTT secret of each of its devices by device id."""

    compound: str
    secrets: dict[str, str]

    def __repr__(self) -> str:
        return f"DemoCredentials({self.compound!r}, {len(self.secrets)} devices)"


def issue(device_ids: Iterable[str]) -> dict[str, str]:
    """A fresh secret of 128 bits for each device."""
    return {device_id: secrets.token_hex(16) for device_id in device_ids}


def load(path: Path) -> dict[str, str]:
    """What the file holds; nothing when there is none or it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError):
        return {}


def fits(session: Session, compound: str, known: dict[str, str]) -> bool:
    """Whether the file belongs to this database: the same devices, and one secret that opens."""
    query = select(Device.id, Device.secret_hash).where(Device.compound == compound)
    hashes = {row.id: row.secret_hash for row in session.execute(query)}
    if not hashes.keys() <= known.keys():
        return False
    sample = min(hashes)
    return bcrypt.checkpw(known[sample].encode(), hashes[sample].encode())


def issue_again(session: Session, compound: str) -> dict[str, str]:
    """New secrets for all devices: the file was lost, or is another database's."""
    ids = session.scalars(select(Device.id).where(Device.compound == compound).order_by(Device.id)).all()
    issued = issue(ids)
    session.execute(
        update(Device),
        [{"id": device, "secret_hash": hash_secret(secret)} for device, secret in issued.items()],
    )
    return issued


def store(path: Path, issued: dict[str, str]) -> None:
    """Writes the file with mode 0600, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_suffix(".part")
    partial.unlink(missing_ok=True)
    # Created with its mode, not narrowed afterwards: there is no moment when others can read it.
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(issued)))
    partial.replace(path)

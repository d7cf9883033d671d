"""The fleet in the device registry: approved at once, since nobody can stand before it.

Its secrets lie plain in a file of the data directory that only its owner may read, as the
demo's do: simulated devices have nowhere else to keep theirs.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from devices import credentials, presence
from devices.adapters import ADAPTERS
from devices.models import Device, DeviceKind, Stage
from devices.rights import knows_only_shared_topics
from devices.simulator.fleet import PURPOSES, Member
from registry.models import Compound, Ring, Zone
from ringward.demo import credentials as kept
from ringward.foundation import Foundation

RINGS: Final = (Ring.ENTRANCE, Ring.COMMON, Ring.BUILDING)
# Heartbeats are pressed together with everything else; between two plays nobody is to be missed.
_HEARTBEAT_S: Final = 24 * 3600


def secrets_file(data_dir: Path) -> Path:
    """Where the secrets of simulated devices are kept."""
    return data_dir / "simulator" / "secrets.json"


def enlist(foundation: Foundation, compound: str, members: Sequence[Member]) -> dict[str, str]:
    """Registers whoever is not registered yet; returns the secrets of those that sign in themselves.

    The compound is made if there is none of that id, and so is a zone in each ring.
    """
    path = secrets_file(foundation.settings.data_dir)
    secrets = kept.load(path)
    now = foundation.clock.now()
    with foundation.database.write() as session:
        _make_room(session, compound)
        known = {one.id: one for one in session.scalars(select(Device))}
        for member in members:
            device = known.get(member.device_id)
            if device is None:
                device = _device(compound, member)
                session.add(device)
                # Whoever hangs on a gateway refers to it.
                session.flush()
            elif device.compound != compound:
                raise ValueError(f"{device.id} is a device of {device.compound}")
            if member.gateway is None and member.device_id not in secrets:
                secrets[member.device_id] = credentials.issue(device, now).secret
        session.flush()
        presence.ensure_rows(session, now)
    kept.store(path, secrets)
    return secrets


def time_zone_of(foundation: Foundation, compound: str) -> str:
    """The zone in which a compound's devices without a zone are read."""
    with foundation.database.read() as session:
        found = session.get(Compound, compound)
        return "Asia/Shanghai" if found is None else found.time_zone


def _make_room(session: Session, compound: str) -> None:
    if session.get(Compound, compound) is None:
        session.add(Compound(id=compound, name=compound))
        session.flush()
    for ring in RINGS:
        if session.get(Zone, _zone(compound, ring)) is None:
            name = f"simulated {ring}"
            session.add(
                Zone(
                    id=_zone(compound, ring),
                    compound=compound,
                    name=name,
                    ring=ring,
                    kind="gate" if ring is Ring.ENTRANCE else "yard",
                    outline=[],
                )
            )
    session.flush()


def _zone(compound: str, ring: Ring | str) -> str:
    return f"{compound[:48]}-sim-{ring}"


def _device(compound: str, member: Member) -> Device:
    purpose = None if member.purpose is None else PURPOSES[member.purpose]
    ring = Ring.COMMON if purpose is None else Ring(purpose.ring)
    return Device(
        id=member.device_id,
        compound=compound,
        zone=_zone(compound, ring),
        kind=DeviceKind.GATEWAY if purpose is None else DeviceKind(purpose.kind),
        name=member.device_id,
        direction=member.direction,
        heartbeat_s=_HEARTBEAT_S,
        secret_hash="",
        secret_number=1,
        enabled=True,
        adapter=member.wire,
        external_id=member.name,
        gateway=member.gateway,
        stage=Stage.APPROVED,
        # Some vendors' devices share a topic for their presence; here all of them are ours.
        shared_topics=member.wire == "yilandu" or knows_only_shared_topics(ADAPTERS[member.wire]),
    )

"""What a benchmark stands on: a broker of its own, a database of its own, one device."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devices import presence
from devices.models import Device, DeviceKind, Stage
from devices.secrets import hash_secret
from registry.models import Compound, Ring, Zone
from ringward.brokerchild import BrokerChild
from ringward.foundation import Foundation, lay
from ringward.ports import free_port
from ringward.settings import Settings
from storage import migrate

COMPOUND = "bench"
FACE_CAMERA = "bench-face"
PLATE_CAMERA = "bench-plate"
SECRET = "bench-secret-of-a-temporary-broker"  # noqa: S105 - the broker lives for one run, on loopback


@dataclass(frozen=True, slots=True)
class Rig:
    """A running broker and an empty deployment with two cameras at one entrance."""

    foundation: Foundation
    mqtt_port: int
    broker: BrokerChild


def extra(count: int) -> list[str]:
    """Names of further devices at the entrance."""
    return [f"bench-more-{number}" for number in range(count)]


@contextmanager
def rig(*, more: int = 0) -> Iterator[Rig]:
    """Starts a broker in a temporary folder, and takes everything away again.

    `more` is how many devices of the names of `extra` there are beside the two cameras.
    """
    with tempfile.TemporaryDirectory(prefix="ringward-bench-") as folder:
        nats_port = free_port("127.0.0.1", 15222)
        mqtt_port = free_port("127.0.0.1", 15883)
        settings = Settings(
            data_dir=Path(folder), nats_port=nats_port, mqtt_port=mqtt_port, compound=COMPOUND
        )
        foundation = lay(settings)
        migrate.upgrade(foundation.database)
        _furnish(foundation, more)
        broker = BrokerChild(foundation)
        broker.start()
        try:
            yield Rig(foundation, mqtt_port, broker)
        finally:
            broker.child.stop(10)
            foundation.database.close()


def _furnish(foundation: Foundation, more: int) -> None:
    secret_hash = hash_secret(SECRET)
    with foundation.database.write() as session:
        session.add(Compound(id=COMPOUND, name=COMPOUND))
        session.flush()
        session.add(
            Zone(id="gate", compound=COMPOUND, name="gate", ring=Ring.ENTRANCE, kind="gate", outline=[])
        )
        session.flush()
        for device_id, kind in (
            (FACE_CAMERA, DeviceKind.FACE_CAMERA),
            (PLATE_CAMERA, DeviceKind.PLATE_CAMERA),
            *((name, DeviceKind.DOOR) for name in extra(more)),
        ):
            session.add(
                Device(
                    id=device_id,
                    compound=COMPOUND,
                    zone="gate",
                    kind=kind,
                    name=device_id,
                    lane="lane",
                    direction="in",
                    heartbeat_s=3600,
                    secret_hash=secret_hash,
                    enabled=True,
                    stage=Stage.APPROVED,
                )
            )
        session.flush()
        presence.ensure_rows(session, foundation.clock.now())


def publisher(
    mqtt_port: int, count: int, size: int, first: int, rate: float = 0, qos: int = 1
) -> subprocess.Popen[bytes]:
    """A publishing device as a process of its own; `rate` 0 is as fast as it goes."""
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "ringward.bench.publisher",
            str(mqtt_port),
            str(count),
            str(size),
            str(first),
            str(rate),
            str(qos),
        ]
    )

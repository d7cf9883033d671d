"""A deployment of the fleet's own: a broker and one core process in a folder that goes away again."""

import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devices.simulator.fleet import Member
from devices.simulator.play import Target
from ringward.brokerchild import BrokerChild
from ringward.children import Child
from ringward.environment import environment_for
from ringward.fleet.enlisting import enlist, time_zone_of
from ringward.foundation import Foundation, lay
from ringward.ports import free_port
from ringward.settings import Settings
from storage import migrate

COMPOUND: Final = "simulated"
ROLES: Final = ("ingest", "relay", "devices")
_START_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Ground:
    """What is running, and where devices find it."""

    foundation: Foundation
    target: Target
    core: Child


@contextmanager
def ground(members: Sequence[Member]) -> Iterator[Ground]:
    """Starts a real Ringward with the fleet in its registry, as processes. Raises `TimeoutError`."""
    with tempfile.TemporaryDirectory(prefix="ringward-sim-") as folder:
        ports: list[int] = []
        for wished in (15222, 15883, 15081, 15080):
            ports.append(free_port("127.0.0.1", wished, frozenset(ports)))
        settings = Settings(
            data_dir=Path(folder),
            nats_port=ports[0],
            mqtt_port=ports[1],
            push_port=ports[2],
            http_port=ports[3],
            compound=COMPOUND,
            log_level="warning",
        )
        foundation = lay(settings)
        migrate.upgrade(foundation.database)
        secrets = enlist(foundation, COMPOUND, members)
        broker = BrokerChild(foundation)
        core = Child("core", [sys.executable, "-m", "ringward", "run", *ROLES], environment_for(settings))
        broker.start()
        try:
            core.start()
            _wait_for(core, settings.push_port)
            target = Target(
                COMPOUND,
                time_zone_of(foundation, COMPOUND),
                "127.0.0.1",
                settings.mqtt_port,
                settings.push_url,
                secrets,
            )
            yield Ground(foundation, target, core)
        finally:
            core.stop(40)
            broker.child.stop(10)
            foundation.database.close()


def _wait_for(core: Child, port: int) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        core.poll()
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=0.5):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise TimeoutError("ingest did not open its receiver") from None
        time.sleep(0.1)

"""A whole Ringward as `ringward up` starts it, with the demo's compound in it, in a folder of its own."""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import msgspec

from ringward.bench.machine import pss_mb
from ringward.children import Child
from ringward.demo import DemoCredentials, build_demo
from ringward.environment import environment_for
from ringward.foundation import Foundation, lay
from ringward.ports import free_port
from ringward.settings import Settings
from ringward.supervisor import Running
from storage import migrate

START_S: Final = 180.0
"""On a machine that has other work, too."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A running deployment. `foundation` looks at its database from outside."""

    foundation: Foundation
    credentials: DemoCredentials
    pid: int
    # Where it listens in the end: somebody else may have taken the port that it was told.
    mqtt_port: int

    def processes(self) -> dict[str, int]:
        """Names and ids: the supervisor and its children."""
        running = _running(self.foundation.settings)
        children = {name: pid for name, pid in running.children.items() if pid is not None}
        return {"supervisor": self.pid, **children}

    def memory_mb(self) -> dict[str, float]:
        """Proportional memory of each process, in megabytes."""
        return {name: pss_mb(pid) for name, pid in self.processes().items()}


@contextmanager
def embedded(
    prepare: Callable[[Foundation], Mapping[str, str]] | None = None,
) -> Iterator[Embedded]:
    """Builds the demo's compound, starts everything, waits until it is ready, and takes it away again.

    `prepare` may change the deployment before it starts, and gives settings for it by their name in the
    environment. Raises `TimeoutError`.
    """
    with tempfile.TemporaryDirectory(prefix="ringward-bench-") as folder:
        ports: list[int] = []
        for wished in (15222, 15883, 15081, 15080):
            ports.append(free_port("127.0.0.1", wished, frozenset(ports)))
        settings = Settings(
            data_dir=Path(folder),
            nats_port=ports[0],
            mqtt_port=ports[1],
            push_port=ports[2],
            http_port=ports[3],
            log_level="error",
        )
        foundation = lay(settings)
        migrate.upgrade(foundation.database)
        credentials = build_demo(foundation.database, foundation.media, foundation.clock, settings.data_dir)
        own = environment_for(settings) | {"RINGWARD_COMPOUND": credentials.compound}
        if prepare is not None:
            own |= prepare(foundation)
        # What it prints is nobody's, and whoever ends this process ends it, too.
        process = Child("up", [sys.executable, "-m", "ringward", "up"], own, on_line=lambda _line: None)
        process.start()
        try:
            _ready(settings, process)
            assert process.pid is not None
            port = _running(settings).mqtt_port
            yield Embedded(foundation, credentials, process.pid, port)
        finally:
            process.stop(90)
            foundation.database.close()


def _running(settings: Settings) -> Running:
    return msgspec.json.decode((settings.data_dir / "running.json").read_bytes(), type=Running)


def _ready(settings: Settings, process: Child) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.pid is None:
            raise RuntimeError("the deployment ended while it started")
        try:
            if httpx.get(f"{_running(settings).http}/readyz", trust_env=False, timeout=5).is_success:
                return
        except (FileNotFoundError, httpx.TransportError):
            pass
        time.sleep(0.2)
    raise TimeoutError("the deployment is not ready")

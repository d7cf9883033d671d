"""`ringward up`: the embedded default. Broker, core and recognition as children, kept alive."""

import fcntl
import os
import signal
import ssl
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from ringward.brokerchild import BrokerChild
from ringward.children import Child
from ringward.environment import environment_for
from ringward.figures import PROCESS
from ringward.foundation import Foundation, lay
from ringward.ports import free_port, reachable
from ringward.settings import Settings
from storage import migrate, ringmark

log = structlog.get_logger(__name__)

CORE_ROLES = ("ingest", "relay", "alerts", "notify", "devices", "console", "keeper")
POLL_S = 0.2
USERS_S = 2.0
READY_DEADLINE_S = 60.0


class AlreadyRunningError(RuntimeError):
    """Another supervisor holds the data directory."""


class Running(msgspec.Struct):
    """What is running on a data directory, for `doctor` and for people who look."""

    pid: int
    http: str
    mqtt_port: int
    nats_port: int
    children: dict[str, int | None]
    push_port: int = 0


class Supervisor:
    """Owns a data directory. `run()` returns when it was told to stop."""

    def __init__(self, settings: Settings, announce: Callable[[str], None]) -> None:
        self._announce = announce
        self._stopping = threading.Event()
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(settings.data_dir / "ringward.lock")
        self.settings = self._settle_ports(settings)
        self.foundation: Foundation = lay(self.settings)
        migrate.upgrade(self.foundation.database)
        ringmark.ensure(self.foundation.database, self.foundation.ring, self.foundation.clock.now())
        self._broker: BrokerChild | None = None
        self._workers: list[Child] = []

    def run(
        self,
        on_ready: Callable[[], None] | None = None,
        before_stop: Callable[[], object] | None = None,
    ) -> None:
        """Starts everything, keeps it alive, stops it in order."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stopping.set())
        try:
            self._start()
            self._wait_ready()
            if on_ready is not None and not self._stopping.is_set():
                on_ready()
            self._watch()
            if before_stop is not None:
                before_stop()
        finally:
            self._stop()

    def stop(self) -> None:
        """Ends `run()`; may be called from any thread."""
        self._stopping.set()

    def _settle_ports(self, settings: Settings) -> Settings:
        """Takes the next free port for each that is busy, and says so."""
        wishes = [("http_port", settings.http_host)]
        if settings.push_port:
            wishes += [("push_port", settings.push_host)]
        if settings.nats_url is None:
            wishes += [("nats_port", "127.0.0.1"), ("mqtt_port", settings.mqtt_host)]
        chosen: dict[str, int] = {}
        for name, host in wishes:
            wished = getattr(settings, name)
            port = free_port(host, wished, frozenset(chosen.values()))
            if port != wished:
                self._announce(f"Port {wished} is taken: {name.removesuffix('_port')} listens on {port}.")
            chosen[name] = port
        return settings.model_copy(update=chosen)

    def _start(self) -> None:
        environment = environment_for(self.settings)
        if self.settings.nats_url is None:
            self._broker = BrokerChild(self.foundation)
            self._broker.start()
        ringward = [sys.executable, "-m", "ringward", "run"]
        self._workers = [Child("core", [*ringward, *CORE_ROLES], environment)]
        self._workers += [
            Child(
                f"recognition-{number + 1}",
                [*ringward, "recognition"],
                environment | {PROCESS: f"recognition-{number + 1}"} | self._health_port(number + 1),
            )
            for number in range(self.settings.recognition_workers)
        ]
        for worker in self._workers:
            worker.start()
        self._note()

    def _health_port(self, number: int) -> dict[str, str]:
        """Of children beyond the core, each another: two cannot listen on one."""
        first = self.settings.health_port
        return {"RINGWARD_HEALTH_PORT": str(first + number)} if first else {}

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + READY_DEADLINE_S
        while not self._stopping.is_set() and time.monotonic() < deadline:
            if self._is_ready():
                return
            for worker in self._workers:
                worker.poll()
            self._stopping.wait(POLL_S)
        if not self._stopping.is_set():
            self._announce("Not everything is ready yet; `ringward doctor` says what is missing.")

    def _is_ready(self) -> bool:
        host = reachable(self.settings.http_host)
        try:
            scheme = "http" if self.settings.http_cert_file is None else "https"
            url = f"{scheme}://{host}:{self.settings.http_port}/readyz"
            with urllib.request.urlopen(url, timeout=2, context=unchecked()) as response:  # noqa: S310
                return bool(response.status == 200)
        except OSError:
            return False

    def _watch(self) -> None:
        next_users = 0.0
        pids: list[int | None] = []
        while not self._stopping.wait(POLL_S):
            children = [*([self._broker.child] if self._broker else []), *self._workers]
            for child in children:
                child.poll()
            if [child.pid for child in children] != pids:
                pids = [child.pid for child in children]
                self._note()
            if self._broker is not None and time.monotonic() >= next_users:
                next_users = time.monotonic() + USERS_S
                self._refresh_users(self._broker)

    def _refresh_users(self, broker: BrokerChild) -> None:
        try:
            if broker.refresh():
                broker.reload()
        except (OSError, SQLAlchemyError, ValueError) as error:
            # A locked database or a full disk must not take the whole house down.
            log.warning("broker.users_not_refreshed", error=type(error).__name__)

    def _stop(self) -> None:
        self._announce("Stopping …")
        for worker in self._workers:
            worker.stop(self.settings.drain_s + 10)
        if self._broker is not None:
            self._broker.child.stop(15)
        self.foundation.database.close()
        (self.settings.data_dir / "running.json").unlink(missing_ok=True)
        self._lock.close()

    def _note(self) -> None:
        children: dict[str, int | None] = {worker.name: worker.pid for worker in self._workers}
        if self._broker is not None:
            children["broker"] = self._broker.child.pid
        running = Running(
            os.getpid(),
            self.settings.local_url,
            self.settings.mqtt_port,
            self.settings.nats_port,
            children,
            self.settings.push_port,
        )
        path = self.settings.data_dir / "running.json"
        partial = path.with_suffix(".part")
        partial.write_bytes(msgspec.json.encode(running))
        partial.replace(path)


def unchecked() -> ssl.SSLContext:
    """For this machine's own console: its certificate names the address that browsers use."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _lock(path: Path) -> IO[str]:
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise AlreadyRunningError(f"{path.parent} is in use by a running Ringward") from None
    return file

"""Processes of one role, of which one works and another stands by; and how long it takes until the other works."""

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import httpx

from ingest.mqtt.session import open_session
from ringward.foundation import lay
from ringward.settings import Settings
from storage.leases import RoleLease
from tests.chaos.site import Program
from tests.support.brokers import CORE, CORE_PASSWORD, NatsServer
from tests.support.compound import settle_in
from tests.support.ports import free_port
from tests.support.waiting import DEADLINE_S, holds_within, wait_until

ROLES: Final = ("ingest", "relay", "devices", "keeper")
Fault = Literal["kill", "pause", "term"]
FAULTS: Final[tuple[Fault, ...]] = ("kill", "pause", "term")


class Pair:
    """Two processes of a role on one broker and one database, as on two machines that share keys and pictures.

    Each has a data directory of its own, and a health address.
    """

    def __init__(self, folder: Path, migrated: Path, database_url: str | None, role: str) -> None:
        self.role = role
        self.folder = folder
        own = Settings(data_dir=folder / "data", database_url=database_url)
        own.data_dir.mkdir(parents=True)
        if database_url is None:
            shutil.copy(migrated, own.data_dir / "ringward.db")
        self.ground = lay(own)
        settle_in(self.ground.database)
        self.bus = NatsServer(folder / "nats")
        self.bus.start()
        open_session(self.bus.login())
        self.data = own.data_dir
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGWARD_")}
        ours = {
            "NATS_URL": self.bus.bus.url,
            "NATS_USER": CORE,
            "NATS_PASSWORD": CORE_PASSWORD,
            "MQTT_PORT": str(self.bus.mqtt_port),
            "MQTT_USER": CORE,
            "MQTT_PASSWORD": CORE_PASSWORD,
            "PUSH_PORT": "0",
            "DATABASE_URL": own.database,
        }
        self.environment = kept | {f"RINGWARD_{name}": value for name, value in ours.items()}
        self.programs: dict[str, Program] = {}
        self.ports: dict[str, int] = {}

    def start(self, name: str) -> Program:
        self.ports[name] = free_port()
        data = self.folder / name
        if not data.exists():
            data.mkdir()
            for shared in ("keys", "media"):
                (self.data / shared).mkdir(exist_ok=True)
                (data / shared).symlink_to(self.data / shared)
        made = self.programs[name] = Program(
            name,
            [sys.executable, "-m", "ringward", "run", self.role],
            self.environment
            | {"RINGWARD_HEALTH_PORT": str(self.ports[name]), "RINGWARD_DATA_DIR": str(data)},
            self.folder / f"{name}.log",
        )
        made.start()
        return made

    def begin(self) -> None:
        """One works, the other stands by and is able to."""
        self.start("first")
        wait_until(lambda: self.is_active("first"), f"the first works\n{self.said()}")
        self.start("second")
        wait_until(lambda: self.says("second", "/readyz") == 200, f"the second stands by\n{self.said()}")
        assert self.says("second", "/activez") == 503

    def says(self, name: str, page: str) -> int | None:
        """The status of a page of a process' health; None where it does not answer."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.ports[name]}{page}", timeout=1).status_code
        except httpx.HTTPError:
            return None

    def is_active(self, name: str) -> bool:
        return self.says(name, "/activez") == 200 and self.says(name, "/readyz") == 200

    def strike(self, name: str, fault: Fault) -> float:
        """Does it to a process; when it was done, by the monotonic clock."""
        program = self.programs[name]
        begun = time.monotonic()
        if fault == "kill":
            program.kill()
        elif fault == "pause":
            os.kill(program.pid, signal.SIGSTOP)
        else:
            assert program.stop() == 0, self.said()
        return begun

    def takes_over(self, name: str, begun: float) -> float:
        """Seconds from a fault until another process does the work."""
        works = holds_within(lambda: self.is_active(name), DEADLINE_S)
        took = time.monotonic() - begun
        assert works, f"{name} has not taken over\n{self.said()}"
        return took

    def wake(self, name: str) -> None:
        os.kill(self.programs[name].pid, signal.SIGCONT)

    def lease(self) -> RoleLease:
        with self.ground.database.read() as session:
            found = session.query(RoleLease).filter_by(role=self.role).one()
            session.expunge_all()
        return found

    def said(self) -> str:
        return "\n---\n".join(f"{name}:\n{one.said()[-2500:]}" for name, one in self.programs.items())

    def close(self) -> None:
        for program in self.programs.values():
            if program.alive:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(program.pid, signal.SIGCONT)
            program.kill()
        self.bus.stop()
        self.ground.database.close()
        self.ground.vault.close()


@contextlib.contextmanager
def pair(folder: Path, migrated: Path, database_url: str | None, role: str) -> Iterator[Pair]:
    made = Pair(folder, migrated, database_url, role)
    try:
        yield made
    finally:
        made.close()

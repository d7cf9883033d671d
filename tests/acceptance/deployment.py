"""A whole Ringward as people run it: `ringward up` as a child, on ports and a folder of its own."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from console.accounts.models import Role, User
from console.accounts.service import Client, open_session
from console.security import SESSION_COOKIE
from ringward import firststart
from ringward.demo import build_demo, enrol_demo
from ringward.foundation import lay
from ringward.settings import Settings
from ringward.supervisor import Running
from storage import migrate
from tests.support.ports import free_port
from tests.support.waiting import wait_until

PORTRAITS = Path(os.environ.get("RINGWARD_PORTRAITS", Path(sys.prefix) / "share" / "ringward" / "portraits"))
START_S = 60.0
STOP_S = 60.0


@dataclass
class Deployment:
    """`links` are one-time set-up tokens by sign-in name; `secrets` the devices' MQTT secrets."""

    folder: Path
    compound: str = "honghua"
    secrets: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    output: Path = field(init=False)

    def __post_init__(self) -> None:
        self.output = self.folder / "output.log"
        self.http_port = free_port()
        self.mqtt_port = free_port()
        self.nats_port = free_port()
        self.push_port = free_port()

    def prepare(self, *, faces: bool = True) -> None:
        """The invented compound with its devices, two enrolled residents, and people who may sign in."""
        ground = lay(Settings(data_dir=self.folder))
        migrate.upgrade(ground.database)
        self.secrets = build_demo(ground.database, ground.media, ground.clock, self.folder).secrets
        if faces:
            enrol_demo(ground.database, ground.media, PORTRAITS, ground.clock)
        volunteer, colleague = self.rows(
            "SELECT r.id FROM responders r JOIN teams t ON t.id = r.team"
            " WHERE t.kind = 'volunteer_police' ORDER BY r.id LIMIT 2"
        )
        for name, role, responder in (
            ("operator", Role.OPERATOR, None),
            ("volunteer", Role.VOLUNTEER, volunteer[0]),
            ("colleague", Role.VOLUNTEER, colleague[0]),
        ):
            link = firststart.link_for(ground, name, role, responder)
            assert link
            self.links[name] = link
        ground.database.close()

    def start(self, command: Sequence[str] = ("up",)) -> None:
        environment = os.environ | {
            "RINGWARD_DATA_DIR": str(self.folder),
            "RINGWARD_HTTP_PORT": str(self.http_port),
            "RINGWARD_MQTT_PORT": str(self.mqtt_port),
            "RINGWARD_NATS_PORT": str(self.nats_port),
            "RINGWARD_PUSH_PORT": str(self.push_port),
            # A test sends in a minute what a device sends in a day.
            "RINGWARD_FLOOD_RATE": "0",
            "PYTHONUNBUFFERED": "1",
        }
        with self.output.open("a") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ringward", *command],
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        wait_until(self._ready, "Ringward is ready", START_S)

    def stop(self) -> int:
        """Ctrl-C; returns the exit code."""
        assert self.process
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_S)

    def running(self) -> Running:
        return msgspec.json.decode((self.folder / "running.json").read_bytes(), type=Running)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Asks the database directly, as a reader beside the running program."""
        with sqlite3.connect(
            f"file:{self.folder / 'ringward.db'}?mode=ro", uri=True, timeout=30
        ) as connection:
            return connection.execute(query, values).fetchall()

    def one(self, query: str, *values: Any) -> Any:
        found = self.rows(query, *values)
        return found[0][0] if found else None

    def client(self, name: str) -> httpx.Client:
        """An HTTP client signed in as a user, without spending a password hash on it."""
        ground = lay(Settings(data_dir=self.folder))
        with ground.database.write() as session:
            user = session.query(User).filter(User.name == name).one()
            opened = open_session(session, user, Client("127.0.0.1"), ground.clock.now())
        ground.database.close()
        client = httpx.Client(base_url=self.url, timeout=20)
        client.cookies.set(SESSION_COOKIE, opened.token)
        return client

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def _ready(self) -> bool:
        assert self.process
        assert self.process.poll() is None, self.output.read_text()[-3000:]
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False


@dataclass
class Camera:
    """A device in a process of its own; `publish` returns when the broker has confirmed."""

    deployment: Deployment
    device: str
    kind: str = "paho"
    process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        deployment = self.deployment
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.acceptance.camera", self.kind),
                *(str(deployment.mqtt_port), deployment.compound, self.device),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._write(deployment.secrets[self.device])

    def publish(self, payload: bytes | dict[str, Any]) -> None:
        text = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
        self._write(text.decode())
        assert self.process.stdout
        assert self.process.stdout.readline().strip() == "ok"

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        assert self.process.wait(30) == 0

    def _write(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

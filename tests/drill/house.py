"""A whole Ringward that somebody follows, whose machine burns and which comes back elsewhere."""

import datetime as dt
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import msgspec
import paho.mqtt.publish
import psutil
import sqlalchemy as sa

from alerts.incidents.models import Incident
from console.accounts import service
from console.accounts.models import Role
from devices import presence
from ringward import following
from ringward.following import Standing
from ringward.foundation import Foundation, lay
from ringward.settings import Settings
from storage import audit, migrate
from storage.events import EventRow
from tests.chaos.site import Devices, Program
from tests.chaos.work import Work
from tests.support.compound import COMPOUND, SECRET, settle_in
from tests.support.ports import free_port
from tests.support.waiting import wait_until

PASSWORD = "a-long-invented-pass-phrase-7"
BACKUP_PHRASE = "correct horse battery staple"
_CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')
OURS = ("cam-1", "cam-2", "door-1")


class House:
    """`data` is the data directory; `database_url` None means SQLite in it."""

    def __init__(
        self,
        folder: Path,
        data: Path,
        copies: Path,
        database_url: str | None,
        postgres_bin: Path | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.data = data
        self.copies = copies
        self.database_url = database_url
        self.http_port, self.mqtt_port, nats_port = free_port(), free_port(), free_port()
        ours = {
            "DATA_DIR": str(data),
            "HTTP_PORT": str(self.http_port),
            "MQTT_PORT": str(self.mqtt_port),
            "NATS_PORT": str(nats_port),
            "PUSH_PORT": "0",
            "RECOGNITION_WORKERS": "0",
            "FLOOD_RATE": "0",
            "BACKUP_PASSPHRASE": BACKUP_PHRASE,
            **({"DATABASE_URL": database_url} if database_url else {}),
            **({"POSTGRES_BIN": str(postgres_bin)} if postgres_bin else {}),
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGWARD_")}
        self.environment = kept | {f"RINGWARD_{name}": value for name, value in ours.items()}
        python = [sys.executable, "-m", "ringward"]
        self.up = Program("up", [*python, "up"], self.environment, folder / "up.log")
        self.follow = Program(
            "follow",
            [*python, "backup", "follow", str(copies), "--every", "1", "--label", "drill"],
            self.environment,
            folder / "follow.log",
        )

    def furnish(self) -> None:
        """The small compound with its devices, and an operator who has a password."""
        with self.opened() as ground:
            migrate.upgrade(ground.database)
            settle_in(ground.database)
            with ground.database.write() as session:
                presence.ensure_rows(session, ground.clock.now())
                user = service.create_user(session, "operator", Role.OPERATOR, ground.clock.now())
                link = service.issue_setup_link(session, user, ground.clock.now())
                service.redeem_setup_link(session, link, PASSWORD, ground.clock.now())

    @contextmanager
    def opened(self) -> Iterator[Foundation]:
        ground = lay(Settings(data_dir=self.data, database_url=self.database_url))
        try:
            yield replace(ground)
        finally:
            ground.database.close()
            ground.vault.close()

    def ready(self) -> bool:
        assert self.up.alive, self.up.said()[-3000:]
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def devices(self, name: str, count: int, first: int = 0, rate: float = 0.0) -> Devices:
        work = Work(
            kind="native",
            host="127.0.0.1",
            port=self.mqtt_port,
            compound=COMPOUND,
            secret=SECRET,
            devices=OURS,
            journal=str(self.folder / f"{name}.ndjson"),
            count=count,
            first=first,
            rate=rate,
            picture_every=5,
        )
        return Devices(work, self.folder / "devices.log")

    def answers(self, name: str) -> int:
        """How many of a journal's records ingest itself has answered: those are in the database."""
        path = self.folder / f"{name}.ndjson"
        lines = path.read_bytes().splitlines() if path.exists() else []
        return sum(b'"by":"answer"' in line for line in lines)

    def force_door(self, number: int) -> None:
        """A door is forced: an event that becomes an incident."""
        now = dt.datetime.now(dt.UTC)
        body = {"v": 1, "id": f"forced-{number}", "type": "door.forced", "at": now.isoformat()}
        paho.mqtt.publish.single(
            f"rw/v1/{COMPOUND}/door-1/up/event",
            msgspec.json.encode(body),
            qos=1,
            hostname="127.0.0.1",
            port=self.mqtt_port,
            client_id="door-1",
            auth={"username": "door-1", "password": SECRET},
        )

    def state(self) -> dict[str, set[str]]:
        """What there is: the events, the incidents and the pictures that can be read, by id."""
        with self.opened() as ground, ground.database.read() as session:
            return {
                "events": set(
                    session.scalars(sa.select(EventRow.id).where(EventRow.type.not_like("device.%")))
                ),
                "incidents": set(session.scalars(sa.select(Incident.id))),
                "pictures": {media_id for media_id in ground.media.list() if ground.media.get(media_id)},
            }

    def audit_holds(self) -> bool:
        with self.opened() as ground, ground.database.read() as session:
            return audit.verify(session) is None and not audit.unguarded(session)

    def standing(self) -> Standing | None:
        try:
            return msgspec.json.decode(following.note_file(self.data).read_bytes(), type=Standing)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def burn(self) -> None:
        """kill -9 of everything at once, and the disk is empty."""
        family = []
        for program in (self.up, self.follow):
            if program.alive:
                process = psutil.Process(program.pid)
                family += [process, *process.children(recursive=True)]
        for one in family:
            one.kill()
        wait_until(lambda: not any(_lives(one) for one in family), "everything is dead")
        for program in (self.up, self.follow):
            program.kill()

    def wipe(self) -> None:
        shutil.rmtree(self.data)

    def restore(self, *more: str) -> dict[str, Any]:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "ringward", "restore", str(self.copies)),
                *("--data-dir", str(self.data), "--json", *more),
            ],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        # Logs go the same way in a terminal's format; the object is the last line.
        found: dict[str, Any] = msgspec.json.decode(done.stdout.strip().splitlines()[-1])
        return found

    def signs_in(self) -> bool:
        """Whether the operator gets in with name and password, as a browser does."""
        with httpx.Client(base_url=self.url, timeout=30, follow_redirects=True) as browser:
            form = browser.get("/sign-in")
            token = _CSRF.search(form.text)
            data = {"name": "operator", "password": PASSWORD} | ({"csrf_token": token[1]} if token else {})
            answer = browser.post("/sign-in", data=data)
            return answer.status_code == 200 and not answer.url.path.startswith("/sign-in")

    def close(self) -> None:
        if self.up.alive or self.follow.alive:
            self.burn()


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE

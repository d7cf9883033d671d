"""kill -9 of ingest while devices push: what was answered 200 is in the database after it, once."""

import base64
import http.client
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import storage.keys
from ringward.foundation import lay
from ringward.settings import Settings
from storage import migrate
from tests.support.compound import SECRET, settle_in
from tests.support.native import event
from tests.support.ports import free_port, listens
from tests.support.waiting import wait_until

DEVICES = ("cam-1", "cam-2", "door-1")
EACH = 120
NOTE = base64.b64encode(os.urandom(15_000)).decode()


@dataclass
class Site:
    """A data directory, and the ingest process that has it now."""

    folder: Path
    push_port: int = field(default_factory=free_port)
    answered: set[str] = field(default_factory=set)
    process: subprocess.Popen[str] | None = None

    def prepare(self) -> None:
        ground = lay(Settings(data_dir=self.folder))
        migrate.upgrade(ground.database)
        settle_in(ground.database)
        ground.database.close()

    def start(self) -> None:
        environment = os.environ | {
            "RINGWARD_DATA_DIR": str(self.folder),
            "RINGWARD_PUSH_PORT": str(self.push_port),
            # Nobody listens there: what is pushed does not wait for the broker.
            "RINGWARD_MQTT_PORT": str(free_port()),
            "RINGWARD_SPOOL_KEEP_FREE_MB": "0",
        }
        with (self.folder / "output.log").open("a") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ringward", "run", "ingest"],
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        wait_until(self._listening, "ingest takes pushes", 60)

    def kill(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)

    def push_all(self, device: str) -> None:
        """Each record until it was answered, as a device does that keeps what nobody has."""
        login = base64.b64encode(f"{device}:{SECRET}".encode()).decode()
        for number in range(EACH):
            record = f"{device}-{number}"
            body = event(record, note=NOTE)
            wait_until(lambda: self._push(device, login, body), f"{record} is answered", 120)  # noqa: B023
            self.answered.add(record)

    def _push(self, device: str, login: str, body: bytes) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.push_port, timeout=30)
        try:
            connection.request("POST", f"/push/{device}/event", body, {"Authorization": f"Basic {login}"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with sqlite3.connect(f"file:{self.folder / 'ringward.db'}?mode=ro", uri=True, timeout=30) as database:
            return database.execute(query).fetchall()

    def waiting(self) -> int:
        return len(list((self.folder / "spool").glob("*.msg")))

    def _listening(self) -> bool:
        assert self.process
        assert self.process.poll() is None, (self.folder / "output.log").read_text()[-3000:]
        return listens(self.push_port)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    before = storage.keys._ring
    made = Site(tmp_path)
    made.prepare()
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.wait(20)
    storage.keys._ring = before


@pytest.mark.slow
def test_everything_that_was_answered_is_stored_once_after_kill_9_again_and_again(site: Site) -> None:
    site.start()
    total = EACH * len(DEVICES)
    pushers = [threading.Thread(target=site.push_all, args=(device,)) for device in DEVICES]
    for pusher in pushers:
        pusher.start()
    for part in (0.2, 0.45):
        wait_until(lambda: len(site.answered) > part * total, "pushes go in", 120)  # noqa: B023
        site.kill()
        site.start()
    # Once with a database that is locked: then what was answered lies in the spool and nowhere else.
    with sqlite3.connect(site.folder / "ringward.db", timeout=30, isolation_level=None) as locking:
        locking.execute("BEGIN IMMEDIATE")
        before = len(site.answered)
        wait_until(lambda: len(site.answered) > before + 20, "pushes go in meanwhile", 120)
        site.kill()
        assert site.waiting() >= 20
    locking.close()
    site.start()
    for pusher in pushers:
        pusher.join(120)
    wait_until(lambda: site.waiting() == 0, "the spool is empty", 60)
    records = [row[0] for row in site.rows("SELECT record_id FROM events WHERE type = 'door.opened'")]
    assert len(site.answered) == total
    assert sorted(map(str, records)) == sorted(site.answered)
    assert site.rows("SELECT reason FROM dead_letters") == []
    assert list((site.folder / "spool" / "aside").iterdir()) == []


@pytest.mark.slow
def test_clean_stop_leaves_nothing_that_was_answered_behind(site: Site) -> None:
    site.start()
    site.push_all("cam-1")
    assert site.process
    site.process.send_signal(signal.SIGTERM)
    assert site.process.wait(40) == 0
    left = site.waiting()
    stored = len(site.rows("SELECT id FROM events WHERE type = 'door.opened'"))
    assert stored + left == EACH
    site.start()
    wait_until(lambda: site.waiting() == 0, "the rest is stored", 60)
    assert len(site.rows("SELECT id FROM events WHERE type = 'door.opened'")) == EACH

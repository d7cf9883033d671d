"""A site of several processes on PostgreSQL, where doors are forced all the time."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import paho.mqtt.publish
import sqlalchemy as sa

from alerts.incidents.models import Incident
from bus.embedded import DeviceLogin
from devices import presence
from devices.models import DeviceKind
from ringward.foundation import lay
from ringward.settings import Settings
from storage import SystemClock, migrate
from storage.events import EventRow
from tests.chaos.site import Program
from tests.support.brokers import CORE, CORE_PASSWORD, NatsServer
from tests.support.compound import COMPOUND, SECRET, SECRET_HASH, device, settle_in
from tests.support.waiting import wait_until
from tests.upgrade import nextversion

# One after another: whoever is replaced is the only one of its kind.
GROUPS = {"ingest": ("ingest",), "carriers": ("relay", "devices"), "alerts": ("alerts",)}
DOORS = 500
PAUSE_S = 0.8
_AT_ONCE = 50
# Not from the folder that the tests run in: which version it is says PYTHONPATH.
_PYTHON = (sys.executable, "-P", "-m", "ringward")


class Street:
    """`forced` are the doors whose event the broker has acknowledged, in their order."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.ground = lay(Settings(data_dir=folder / "data", database_url=database_url))
        migrate.upgrade(self.ground.database)
        self._settle_in()
        doors = [DeviceLogin(name, COMPOUND, SECRET_HASH) for name in _DOORS]
        self.bus = NatsServer(folder / "nats", doors)
        self.bus.start()
        ours = {
            "DATA_DIR": str(self.ground.settings.data_dir),
            "DATABASE_URL": database_url,
            "NATS_URL": self.bus.bus.url,
            "NATS_USER": CORE,
            "NATS_PASSWORD": CORE_PASSWORD,
            "MQTT_PORT": str(self.bus.mqtt_port),
            "MQTT_USER": CORE,
            "MQTT_PASSWORD": CORE_PASSWORD,
            "PUSH_PORT": "0",
            "FLOOD_RATE": "0",
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGWARD_")}
        self._environment = kept | {f"RINGWARD_{name}": value for name, value in ours.items()}
        self.next, self.revision = nextversion.make(folder)
        self.running: dict[str, Program] = {}
        self.all: list[Program] = []
        self.forced: list[str] = []
        self._over = threading.Event()
        self._forcing = threading.Thread(target=self._force, daemon=True)

    def force_doors(self) -> None:
        """From now on a door is forced every moment, until `settle`."""
        self._forcing.start()

    def replace(self, group: str, tree: Path) -> None:
        """Ends the processes of a group cleanly, starts those of another version, and sees them work."""
        if (former := self.running.get(group)) is not None:
            assert former.alive, former.said()[-2000:]
            assert former.stop() == 0, former.said()[-2000:]
        log = self.folder / f"{len(self.all)}-{group}.log"
        program = Program(
            group,
            [*_PYTHON, "run", *GROUPS[group]],
            self._environment | {"PYTHONPATH": str(tree)},
            log,
        )
        program.start()
        self.running[group] = program
        self.all.append(program)
        last = len(GROUPS[group])
        wait_until(
            lambda: not program.alive or program.said().count("role.started") >= last, f"{group} starts", 120
        )
        assert program.alive, program.said()[-3000:]

    def works(self) -> None:
        """What comes from now on becomes incidents."""
        now = len(self.forced)
        wait_until(lambda: len(self.forced) > now, "doors are forced", 120)
        newest = self.forced[now]
        wait_until(
            lambda: newest in self.told(),
            f"an incident of {newest}",
            120,
        )

    def migrate(self, tree: Path) -> None:
        """The schema of a version, while the others work."""
        done = subprocess.run(
            [*_PYTHON, "migrate"],
            env=self._environment | {"PYTHONPATH": str(tree)},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def told(self) -> list[str]:
        """The doors of all incidents, one entry an incident: every door has a lane of its own."""
        with self.ground.database.read() as session:
            lanes = session.scalars(sa.select(Incident.lane).where(Incident.lane.like("lane-gate-%")))
            return [str(lane).removeprefix("lane-") for lane in lanes]

    def stored(self) -> list[str]:
        with self.ground.database.read() as session:
            return list(session.scalars(sa.select(EventRow.device_id).where(EventRow.type == "door.forced")))

    def settle(self) -> None:
        """No more doors are forced; all that were are told."""
        self._over.set()
        self._forcing.join(60)
        wait_until(lambda: set(self.forced) <= set(self.told()), "every door has its incident", 120)

    def close(self) -> None:
        self._over.set()
        for program in self.running.values():
            program.kill()
        self.bus.stop()
        self.ground.database.close()
        self.ground.vault.close()

    def _force(self) -> None:
        clock = SystemClock()
        for name in _DOORS:
            if self._over.wait(PAUSE_S):
                return
            body = {"v": 1, "id": f"forced-{name}", "type": "door.forced", "at": clock.now().isoformat()}
            paho.mqtt.publish.single(
                f"rw/v1/{COMPOUND}/{name}/up/event",
                msgspec.json.encode(body),
                qos=1,
                hostname="127.0.0.1",
                port=self.bus.mqtt_port,
                client_id=name,
                auth={"username": name, "password": SECRET},
            )
            self.forced.append(name)

    def _settle_in(self) -> None:
        settle_in(self.ground.database)
        # In small pieces: a server ends a transaction that stands still for long.
        for begin in range(0, DOORS, _AT_ONCE):
            names = _DOORS[begin : begin + _AT_ONCE]
            with self.ground.database.write() as session:
                session.add_all([device(name, DeviceKind.DOOR, "b1", lane=f"lane-{name}") for name in names])
                session.flush()
                presence.ensure_rows(session, self.ground.clock.now())


_DOORS = tuple(f"gate-{number}" for number in range(DOORS))

"""A site of real processes that are killed and started one by one: broker, ingest, relay, devices."""

import datetime as dt
import os
import select
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import sqlalchemy as sa

from bus.embedded import DeviceLogin
from devices import credentials, presence
from devices.models import DeviceKind
from devices.simulator.checker import Verdict, check
from devices.simulator.history import Entry
from ingest.mqtt.session import open_session
from ringward.foundation import lay
from ringward.settings import Settings
from storage import Database, migrate
from storage.events import EventRow, OutboxRow
from tests.chaos import announced, pictures
from tests.chaos.cable import Cable
from tests.chaos.work import Kind, Work
from tests.support.brokers import CORE, CORE_PASSWORD, Broker, NatsServer
from tests.support.compound import COMPOUND, SECRET, device, settle_in
from tests.support.ports import free_port, listens
from tests.support.waiting import holds_within, wait_until

START_S = 60.0
SETTLE_S = 60.0


class Program:
    """A child that a test kills and starts again; what it says goes into a file."""

    def __init__(
        self, name: str, arguments: Sequence[str], environment: dict[str, str], output: Path
    ) -> None:
        self.name = name
        self.output = output
        self._arguments = list(arguments)
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                self._arguments, env=self._environment, stdout=output, stderr=subprocess.STDOUT
            )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)

    def stop(self) -> int:
        """A clean end; the exit code."""
        assert self._process
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def said(self) -> str:
        return self.output.read_text() if self.output.exists() else ""


class Devices:
    """A process of devices with a journal of its own."""

    def __init__(self, work: Work, output: Path) -> None:
        self.work = work
        self._done = False
        self._output = output.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.devices"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._output,
        )
        assert self._process.stdin
        self._process.stdin.write(msgspec.json.encode(work) + b"\n")
        self._process.stdin.flush()

    def is_answered(self) -> bool:
        """Whether all its records are answered."""
        if not self._done:
            assert self._process.stdout
            ready, _, _ = select.select([self._process.stdout], [], [], 0)
            self._done = bool(ready) and self._process.stdout.readline() == b"done\n"
        return self._done

    def close(self) -> None:
        if self._process.poll() is not None:
            return
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()
        self._output.close()

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(20)


class Site:
    """`data` is the data directory. With a `cable` ingest is at its far end, and everything else here.

    `mosquitto` makes the devices' broker; without it nats-server is that too. Floods are let in: a
    test says in a minute what devices say in a day. `migrated` is a SQLite file to begin with.
    """

    def __init__(
        self,
        folder: Path,
        *,
        devices: dict[Kind, int] | None = None,
        data: Path | None = None,
        database_url: str | None = None,
        cable: Cable | None = None,
        mosquitto: Callable[[Path], Broker] | None = None,
        settings: dict[str, str] | None = None,
        migrated: Path | None = None,
    ) -> None:
        self.folder = folder
        self.cable = cable
        self.names: dict[Kind, tuple[str, ...]] = {}
        here, there = (cable.here, cable.there) if cable is not None else ("127.0.0.1", "127.0.0.1")
        self.push_host, self.push_port = there, free_port()
        own = Settings(data_dir=data or folder / "data", database_url=database_url)
        if migrated is not None and database_url is None:
            own.data_dir.mkdir(parents=True)
            shutil.copy(migrated, own.data_dir / "ringward.db")
        self.ground = lay(own)
        if migrated is None and database_url is None:
            migrate.upgrade(self.ground.database)
        logins = self._furnish(devices or {"native": 3})
        self.bus = NatsServer(folder / "nats", logins, mqtt_host=here)
        self.broker: Broker = mosquitto(folder / "mosquitto") if mosquitto is not None else self.bus
        self._offset = folder / "clock"
        self.environment = self._environment(own, settings or {})
        python = [sys.executable, "-m", "tests.chaos.jumping", str(self._offset)]
        ingest = [*(cable.command if cable is not None else ()), *python, "run", "ingest"]
        self.ingest = Program("ingest", ingest, self.environment, folder / "ingest.log")
        rest = [sys.executable, "-m", "ringward", "run", "relay", "devices"]
        self.rest = Program("rest", rest, self.environment, folder / "rest.log")
        self._devices: list[Devices] = []

    def start(self, *, with_rest: bool = True) -> None:
        """The broker, ingest's session at it, and the processes."""
        self.bus.start()
        if self.broker is not self.bus:
            self.broker.start()
        # From now on the broker keeps what devices say, whoever is away.
        open_session(self.broker.login())
        self.ingest.start()
        if with_rest:
            self.rest.start()

    def devices(self, kind: Kind, count: int, **how: float) -> Devices:
        """Lets the devices of a kind begin to speak, or go on when they have their answers."""
        former = [one for one in self._devices if one.work.kind == kind]
        for one in former:
            self._await(one)
            one.close()
        before = [one.work for one in former]
        pushed = kind == "haan"
        work = Work(
            kind=kind,
            host=self.push_host if pushed else self.broker.mqtt_host,
            port=self.push_port if pushed else self.broker.mqtt_port,
            compound=COMPOUND,
            secret=SECRET,
            devices=self.names[kind],
            journal=str(self.folder / f"{kind}-{len(before)}.ndjson"),
            count=count,
            first=sum(work.count for work in before),
            **how,
        )
        made = Devices(work, self.folder / "devices.log")
        self._devices.append(made)
        return made

    def entries(self) -> list[Entry]:
        """What all journals hold so far."""
        found: list[Entry] = []
        for one in self._devices:
            path = Path(one.work.journal)
            if path.exists():
                # Who reads while another writes may see half of the last line.
                whole, _, _ = path.read_bytes().rpartition(b"\n")
                found += _lines.decode(b"[" + whole.replace(b"\n", b",") + b"]")
        return found

    def answered(self, by: str | None = None) -> int:
        """How many answers devices have had, or how many of one sort."""
        return sum(entry.by is not None and by in {None, entry.by} for entry in self.entries())

    def busy(self) -> bool:
        """Whether a device still waits for an answer."""
        return not all(one.is_answered() for one in self._devices)

    def stored(self) -> int:
        with self.ground.database.read() as session:
            events = (
                sa.select(sa.func.count()).select_from(EventRow).where(EventRow.type.not_like("device.%"))
            )
            return session.scalar(events) or 0

    def hours_of_receipt(self) -> set[int]:
        """By how many hours ingest's clock was ahead of the devices' when it took something in."""
        with self.ground.database.read() as session:
            rows = session.execute(
                sa.select(EventRow.received_at, EventRow.device_time).where(
                    EventRow.type.not_like("device.%")
                )
            )
            return {round((row.received_at - row.device_time) / dt.timedelta(hours=1)) for row in rows}

    def keep_alive(self) -> None:
        """Starts again what has ended by itself, as whoever runs it would."""
        for program in (self.ingest, self.rest):
            if program._process is not None and not program.alive:
                program.start()

    def listening(self) -> bool:
        """Whether ingest listens to the broker and to devices that push."""
        self.keep_alive()
        return listens(self.push_port, self.push_host)

    def settle(self, within_s: float = SETTLE_S) -> Verdict:
        """Waits until all devices are answered and everything acknowledged is stored; then looks."""
        for one in self._devices:
            self._await(one, within_s)
        told = sum(one.work.count * len(one.work.devices) for one in self._devices)
        refused = sum(
            one.work.count // one.work.poison_every * len(one.work.devices)
            for one in self._devices
            if one.work.poison_every
        )

        def all_in() -> bool:
            self.keep_alive()
            return self.stored() >= told - refused

        assert holds_within(all_in, within_s, 0.2), (
            f"{self.stored()} of {told - refused}\n{self.how_it_stands()}"
        )
        if self.rest._process is not None:
            wait_until(lambda: self.outbox() == 0, "the outbox is empty", within_s)
        for one in self._devices:
            one.close()
        return self.verdict()

    def _await(self, devices: Devices, within_s: float = SETTLE_S) -> None:
        waits = f"{devices.work.kind} devices wait for answers"
        assert holds_within(devices.is_answered, within_s), f"{waits}\n{self.how_it_stands()}"

    def how_it_stands(self) -> str:
        """For whoever reads of a failure: what nobody answered, and what the processes said last."""
        said: dict[tuple[str, str], set[str | None]] = {}
        for entry in self.entries():
            said.setdefault((entry.device, entry.number or entry.digest or ""), set()).add(entry.by)
        waiting = sorted(key for key, answers in said.items() if answers == {None})
        logs = ["devices.log", "ingest.log", "rest.log"]
        tails = [(self.folder / name).read_text()[-2000:] for name in logs if (self.folder / name).exists()]
        broker = "\n".join(self.broker.lines[-20:])
        return "\n---\n".join([f"{len(waiting)} of {len(said)}: {waiting[:20]}", *tails, broker])

    def verdict(self, by: str | None = None) -> Verdict:
        """The database against what devices were told, or against one sort of answers alone."""
        entries = [entry for entry in self.entries() if by is None or entry.by in {None, by}]
        names = [name for kind in self.names.values() for name in kind]
        with self.ground.database.read() as session:
            return check(entries, session, names, _LONG_AGO)

    def unreadable(self) -> list[str]:
        return pictures.unreadable(self.ground.database, self.ground.media)

    def outbox(self) -> int:
        self.keep_alive()
        with self.ground.database.read() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(OutboxRow)) or 0

    def announced_amiss(self) -> dict[str, int]:
        """Events that the bus has not exactly once, each with how often."""
        counts: Counter[str] = announced.ids(self.bus.bus)
        with self.ground.database.read() as session:
            events = set(session.scalars(sa.select(EventRow.id)))
        return {event: counts[event] for event in events if counts[event] != 1}

    def jump(self, hours: float) -> None:
        """Sets ingest's clock beside everybody else's."""
        partial = self._offset.with_suffix(".part")
        partial.write_text(str(hours * 3600))
        partial.replace(self._offset)

    def close(self) -> None:
        for one in self._devices:
            one.kill()
        for program in (self.ingest, self.rest):
            program.kill()
        for broker in {self.broker, self.bus}:
            broker.stop()
        self.ground.database.close()
        self.ground.vault.close()

    @property
    def database(self) -> Database:
        return self.ground.database

    def _furnish(self, kinds: dict[Kind, int]) -> list[DeviceLogin]:
        """Registers the devices, all with one secret; returns whom the broker lets in."""
        ground = self.ground
        settle_in(ground.database)
        with ground.database.write() as session:
            for kind, count in kinds.items():
                # Of the native ones the small compound has three already.
                self.names[kind] = _NATIVE[:count] if kind == "native" else ()
                for number in range(len(self.names[kind]), count):
                    name = f"{kind}-{number + 1}"
                    self.names[kind] += (name,)
                    session.add(device(name, DeviceKind.FACE_CAMERA, adapter=kind))
            session.flush()
            presence.ensure_rows(session, ground.clock.now())
            found = credentials.logins(session, ground.clock.now())
        return [
            DeviceLogin(
                one.device_id,
                one.compound,
                one.bcrypt_hash,
                one.user,
                one.rights.publish,
                one.rights.subscribe,
            )
            for one in found
        ]

    def _environment(self, own: Settings, more: dict[str, str]) -> dict[str, str]:
        ours = {
            "DATA_DIR": str(own.data_dir),
            "NATS_URL": self.bus.bus.url,
            "NATS_USER": CORE,
            "NATS_PASSWORD": CORE_PASSWORD,
            "MQTT_HOST": self.broker.mqtt_host,
            "MQTT_PORT": str(self.broker.mqtt_port),
            "MQTT_USER": CORE,
            "MQTT_PASSWORD": CORE_PASSWORD,
            "PUSH_HOST": self.push_host,
            "PUSH_PORT": str(self.push_port),
            "FLOOD_RATE": "0",
            "SPOOL_KEEP_FREE_MB": "0",
            **({"DATABASE_URL": own.database_url} if own.database_url else {}),
            **more,
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGWARD_")}
        return kept | {f"RINGWARD_{name}": value for name, value in ours.items()} | {"PYTHONUNBUFFERED": "1"}


_lines = msgspec.json.Decoder(list[Entry])
_LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NATIVE = ("cam-1", "cam-2", "door-1")

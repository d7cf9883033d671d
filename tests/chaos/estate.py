"""A whole site as separate processes, each of which is started again when it dies, as systemd would.

Broker, database, ingest, relay, two that evaluate rules, notifier, devices, keeper, console; a push
service with the phones of a control room; an operator who puts aside what everybody has heard of; and
devices that speak. Nothing here breaks anything: that is the nemesis's part.
"""

import base64
import contextlib
import datetime as dt
import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.incidents.actions import take_step
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import FalseAlarmReason, State, Step
from alerts.incidents.models import Incident
from alerts.notify.channels.subscription import written as subscription
from alerts.notify.models import (
    ChannelKind,
    Contact,
    Notification,
    NotificationAttempt,
    NotificationState,
    Purpose,
)
from alerts.reactions import IncidentChange
from bus.embedded import DeviceLogin
from devices import credentials, presence
from devices.models import DeviceKind
from ingest.mqtt.session import open_session
from ringward.foundation import lay
from ringward.settings import Settings
from storage import Database, migrate
from storage.events import EventRow, OutboxRow
from tests.chaos import history
from tests.chaos import written as reading
from tests.chaos.cable import Cable
from tests.chaos.disk import Disk
from tests.chaos.site import Devices, Program
from tests.chaos.work import Kind, Work
from tests.support.brokers import CORE, CORE_PASSWORD, NatsServer
from tests.support.compound import COMPOUND, SECRET, device, settle_in
from tests.support.ports import free_port, listens
from tests.support.postgres import Postgres
from tests.support.waiting import holds_within

# Who runs services waits so long before one is started again.
RESTART_S = 1.0
# Until all of them have started beside each other on a machine that others use, too.
START_S = 240.0
# Within this a database that was killed has recovered.
BACK_S = 60.0
PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "ingest": ("ingest",),
    "relay": ("relay",),
    "alerts-a": ("alerts",),
    "alerts-b": ("alerts",),
    "notify": ("notify",),
    "devices": ("devices",),
    "keeper": ("keeper",),
    "console": ("console",),
}
# Each has a cable of its own, where this user may lay one.
WIRED = ("ingest", "relay", "alerts-a", "alerts-b", "notify")
CONTROL_ROOM = ("op-1", "op-2")
ORDINARY: Mapping[Kind, int] = {"native": 10, "facesluice": 4, "haan": 4}
_T = TypeVar("_T")
_DAY = dt.timedelta(days=1)
_OPERATOR = Actor("op-1", "operator")
_PUT_ASIDE = Step(State.FALSE_ALARM, FalseAlarmReason.TEST_DRILL)
_HEARD = (NotificationState.TOLD, NotificationState.ANSWERED)


class PostgresServer:
    """The database server as something that dies and is started again."""

    name = "postgres"

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self.alive = True

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._server.family()]

    def start(self) -> None:
        self._server.revive()
        self.alive = True

    def kill(self) -> None:
        self._server.kill()
        self.alive = False


class Service:
    """One of the things that run: alive or not, started and killed by name."""

    def __init__(self, name: str, what: Program | NatsServer | PostgresServer) -> None:
        self.name = name
        self._what = what
        self._lock = threading.Lock()
        self.starts = 0

    @property
    def alive(self) -> bool:
        return self._what.alive

    @property
    def pids(self) -> list[int]:
        return self._what.pids if isinstance(self._what, PostgresServer) else [self._what.pid]

    def start(self) -> None:
        with self._lock:
            self._what.start()
            self.starts += 1

    def kill(self) -> None:
        with self._lock:
            self._what.kill()


class Estate:
    """`cables` are by name of a program, `disk` holds the data directory, `doors` is how many can be forced.

    `migrated` is a SQLite file to begin with; `postgres` makes the other database.
    """

    def __init__(
        self,
        folder: Path,
        *,
        doors: int,
        postgres: Postgres | None = None,
        cables: Mapping[str, Cable] | None = None,
        disk: Disk | None = None,
        migrated: Path | None = None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.cables = dict(cables or {})
        self.disk = disk
        self.database_name = "sqlite" if postgres is None else "postgresql"
        own = Settings(
            data_dir=(disk.folder if disk is not None else folder) / "data",
            database_url=postgres.migrated() if postgres is not None else None,
        )
        own.data_dir.mkdir(parents=True)
        if migrated is not None and postgres is None:
            shutil.copy(migrated, own.data_dir / "ringward.db")
        self.ground = lay(own)
        if migrated is None and postgres is None:
            migrate.upgrade(self.ground.database)
        self.names: dict[Kind, tuple[str, ...]] = {}
        logins = self._furnish({**ORDINARY, "doors": doors})
        self._phones, phones_port = self._open_phones()
        self._subscribe(phones_port)
        everywhere = "0.0.0.0" if self.cables else "127.0.0.1"
        self.broker = NatsServer(folder / "nats", logins, mqtt_host=everywhere, host=everywhere)
        self.push_port, self.http_port = free_port(), free_port()
        self.services = {"nats": Service("nats", self.broker)}
        if postgres is not None:
            self.services["postgres"] = Service("postgres", PostgresServer(postgres))
        for name, roles in PROGRAMS.items():
            self.services[name] = Service(name, self._program(name, roles, own, more or {}))
        self._devices: list[Devices] = []
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    # ── living ──────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Everything, and who looks after it. Returns when each can do its work."""
        self.services["nats"].start()
        # From now on the broker keeps what devices say, whoever is away.
        open_session(self.broker.login())
        for name in PROGRAMS:
            self.services[name].start()
        for work in (self._supervise, self._operate):
            thread = threading.Thread(target=work, name=work.__name__, daemon=True)
            thread.start()
            self._threads.append(thread)
        for what, is_so in (
            ("ingest does not listen", lambda: listens(self.push_port, self.host_of("ingest"))),
            ("the console does not listen", lambda: listens(self.http_port)),
            ("nobody evaluates the compounds' rules", self._is_watched),
        ):
            assert holds_within(is_so, START_S), self.how_it_stands(what)

    def speak(self, kind: Kind, count: int, rate: float, **how: Any) -> None:
        """Lets all devices of a kind say `count` records each, `rate` a second; of doors all together."""
        pushed = kind == "haan"
        work = Work(
            kind=kind,
            host=self.host_of("ingest") if pushed else "127.0.0.1",
            port=self.push_port if pushed else self.broker.mqtt_port,
            compound=COMPOUND,
            secret=SECRET,
            devices=self.names[kind],
            journal=str(self.folder / f"{kind}.ndjson"),
            count=count,
            rate=rate,
            **how,
        )
        self._devices.append(Devices(work, self.folder / "devices.log"))

    def busy(self) -> bool:
        """Whether a device still waits for an answer."""
        return not all(one.is_answered() for one in self._devices)

    def hush(self) -> None:
        """Devices say nothing more, answered or not."""
        for one in self._devices:
            one.kill()

    def host_of(self, name: str) -> str:
        """Where a program is reached from here."""
        return self.cables[name].there if name in self.cables else "127.0.0.1"

    def jump(self, name: str, seconds: float) -> None:
        """Sets a program's clock beside everybody else's."""
        offset = self._offset(name)
        partial = offset.with_suffix(".part")
        partial.write_text(str(seconds))
        partial.replace(offset)

    def progress(self) -> str:
        """How much is stored and raised, in words, or that the database does not say."""
        query = (
            sa.select(sa.func.count()).select_from(EventRow),
            sa.select(sa.func.count()).select_from(Incident).where(Incident.rule == reading.RULE),
        )
        try:
            with self.database.read() as session:
                events, doors = (session.scalar(one) or 0 for one in query)
        except sa.exc.DBAPIError:
            return "no word from the database"
        return f"{events:,} events, {doors:,} doors"

    def settle(self, within_s: float = 60.0, *, hushed: bool = False) -> None:
        """Waits until everything that was said is answered, stored, carried, and told.

        `hushed`: devices say nothing more, so only what was acknowledged is waited for.
        """
        deadline = time.monotonic() + within_s

        def left() -> float:
            return max(1.0, deadline - time.monotonic())

        if not hushed:
            assert holds_within(lambda: not self.busy(), left(), 0.2), self.how_it_stands("devices wait")
        due = self._journals().counts()[1]
        for what, is_so in (
            ("something lies in the spool or the queue", lambda: self.stored() >= due),
            ("the outbox is not empty", lambda: not self._count(OutboxRow)),
            ("a door has no incident", self._is_raised),
            ("an incident is followed by nothing", lambda: not self._count(IncidentChange)),
            ("somebody was not told", self._is_told),
        ):
            assert holds_within(is_so, left(), 0.2), self.how_it_stands(what)

    def verdict(self, faults: list[history.Fault]) -> history.Verdict:
        """Everything that was promised, held against what is written."""
        told = self._journals()
        letters = reading.letters(self.folder / "phones.ndjson")
        desk = {who: who for who in CONTROL_ROOM}
        return history.check(told, self._ask(reading.database), letters, faults, desk)

    def waits_ms(self) -> Mapping[str, list[float]]:
        """How long devices waited for answers, by whose they were."""
        return self._journals().waits_ms

    def _journals(self) -> history.History:
        return reading.journals(self.folder / f"{kind}.ndjson" for kind in self.names)

    def how_it_stands(self, what: str) -> str:
        """For whoever reads of a failure: what each said last."""
        lines = [what, *self._waiting()]
        for name in PROGRAMS:
            path = self.folder / f"{name}.log"
            said = path.read_text(errors="replace")[-1500:] if path.exists() else ""
            lines.append(f"── {name}, started {self.services[name].starts} times\n{said}")
        lines.append("── nats\n" + "\n".join(self.broker.lines[-10:]))
        return "\n".join(lines)

    def _waiting(self) -> list[str]:
        """Notifications of doors that are still to be told, with their tries."""
        query = (
            sa.select(Notification, NotificationAttempt)
            .outerjoin(NotificationAttempt, NotificationAttempt.notification == Notification.id)
            .join(Incident, Incident.id == Notification.incident)
            .where(Incident.rule == reading.RULE, Notification.state == NotificationState.PENDING)
            .limit(20)
        )
        with contextlib.suppress(sa.exc.DBAPIError), self.database.read() as session:
            return [
                f"{told.purpose} of {told.incident} asked {told.asked_at} due {told.due_at} held by {told.held_by}:"
                f" {f'{tried.state} {tried.error} at {tried.at}' if tried is not None else 'no try'}"
                for told, tried in session.execute(query)
            ]
        return []

    def close(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)
        self.hush()
        for name, service in self.services.items():
            if name != "postgres" and service.starts:
                service.kill()
        self._phones.kill()
        self._phones.wait(20)
        self.ground.database.close()
        self.ground.vault.close()

    @property
    def database(self) -> Database:
        return self.ground.database

    @property
    def programs(self) -> tuple[str, ...]:
        return tuple(PROGRAMS)

    # ── those who look after it ─────────────────────────────────────────────

    def _supervise(self) -> None:
        """Starts again what has died."""
        died: dict[str, float] = {}
        while not self._stopping.wait(0.1):
            for name, service in self.services.items():
                if service.alive:
                    died.pop(name, None)
                elif time.monotonic() - died.setdefault(name, time.monotonic()) >= RESTART_S:
                    with contextlib.suppress(
                        AssertionError, OSError, RuntimeError, subprocess.SubprocessError
                    ):
                        service.start()
                    died.pop(name, None)

    def _operate(self) -> None:
        """An operator who puts aside whatever both of the control room have heard of."""
        while not self._stopping.wait(1.0):
            # The database that is away comes back, and what was not put aside is still there.
            with contextlib.suppress(Exception):
                self._put_aside()

    def _put_aside(self) -> None:
        heard = (
            sa.select(Notification.incident)
            .where(Notification.purpose == Purpose.INCIDENT, Notification.state.in_(_HEARD))
            .group_by(Notification.incident)
            .having(sa.func.count() >= len(CONTROL_ROOM))
        )
        with self.database.read() as session:
            found = session.scalars(
                sa.select(Incident.id)
                .where(Incident.state.in_((State.RAISED, State.ACKNOWLEDGED)), Incident.id.in_(heard))
                .where(Incident.rule == reading.RULE)
                .limit(20)
            ).all()
        for incident in found:
            with self.database.write() as session:
                take_step(session, incident, _PUT_ASIDE, _OPERATOR, self.ground.clock.now())

    # ── looking ─────────────────────────────────────────────────────────────

    def _ask(self, question: Callable[[Database], _T]) -> _T:
        """Asked again while the database comes back."""
        until = time.monotonic() + BACK_S
        while True:
            try:
                return question(self.database)
            except sa.exc.DBAPIError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def _count(self, table: Any, *where: sa.ColumnElement[bool]) -> int:
        def count(database: Database) -> int:
            with database.read() as session:
                return session.scalar(sa.select(sa.func.count()).select_from(table).where(*where)) or 0

        return self._ask(count)

    def stored(self) -> int:
        return self._count(EventRow, EventRow.type.not_like("device.%"))

    def _is_watched(self) -> bool:
        from alerts.leases import AlertLease

        return self._count(AlertLease, AlertLease.holder != "") >= 2

    def _is_raised(self) -> bool:
        news = self._count(EventRow, EventRow.type == "door.forced", EventRow.late == 0)
        return self._count(Incident, Incident.rule == reading.RULE) >= news

    def _is_told(self) -> bool:
        waits = self._count(
            Notification,
            Notification.purpose == Purpose.INCIDENT,
            Notification.state == NotificationState.PENDING,
            Notification.incident.in_(sa.select(Incident.id).where(Incident.rule == reading.RULE)),
        )
        return not waits

    # ── furnishing ──────────────────────────────────────────────────────────

    def _program(self, name: str, roles: tuple[str, ...], own: Settings, more: Mapping[str, str]) -> Program:
        cable = self.cables.get(name)
        here, there = (cable.here, cable.there) if cable is not None else ("127.0.0.1", "127.0.0.1")
        ours = {
            "DATA_DIR": str(own.data_dir),
            "NATS_URL": f"nats://{here}:{self.broker.nats_port}",
            "NATS_USER": CORE,
            "NATS_PASSWORD": CORE_PASSWORD,
            "MQTT_HOST": here,
            "MQTT_PORT": str(self.broker.mqtt_port),
            "MQTT_USER": CORE,
            "MQTT_PASSWORD": CORE_PASSWORD,
            "PUSH_HOST": there,
            "PUSH_PORT": str(self.push_port),
            "HTTP_PORT": str(self.http_port),
            "FLOOD_RATE": "0",
            "SPOOL_KEEP_FREE_MB": "0",
            "NOTIFY_NETWORKS": "127.0.0.0/8,198.18.0.0/15",
            "PUSH_CONTACT": "mailto:nobody@ringward.example",
            **({"DATABASE_URL": own.database_url} if own.database_url else {}),
            **more,
        }
        kept = {key: value for key, value in os.environ.items() if not key.startswith("RINGWARD_")}
        environment = kept | {f"RINGWARD_{key}": value for key, value in ours.items()}
        command = [*(cable.command if cable is not None else ()), sys.executable]
        command += ["-m", "tests.chaos.jumping", str(self._offset(name)), "run", *roles]
        return Program(name, command, environment | {"PYTHONUNBUFFERED": "1"}, self.folder / f"{name}.log")

    def _offset(self, name: str) -> Path:
        return self.folder / f"{name}.clock"

    def _furnish(self, kinds: Mapping[Kind, int]) -> list[DeviceLogin]:
        """Registers devices, all with one secret, and who is on duty; returns whom the broker lets in."""
        ground = self.ground
        settle_in(ground.database)
        now = ground.clock.now()
        with ground.database.write() as session:
            for kind, count in kinds.items():
                self.names[kind] = tuple(f"{kind}-{number + 1}" for number in range(count))
                for name in self.names[kind]:
                    if kind == "doors":
                        # Nobody waits for a door's heartbeat here: it is heard of once.
                        made = device(name, DeviceKind.DOOR, "b1", lane=f"lane-{name}", heartbeat_s=86_400)
                    else:
                        adapter = {} if kind == "native" else {"adapter": kind}
                        made = device(name, DeviceKind.FACE_CAMERA, **adapter)
                    session.add(made)
            session.add(Team(id="desk", compound=COMPOUND, name="desk", kind=TeamKind.OPERATOR, zones=[]))
            session.flush()
            for who in CONTROL_ROOM:
                session.add(Responder(id=who, team="desk", name=who, post=None))
            session.flush()
            for who in CONTROL_ROOM:
                session.add(Shift(id=who, responder=who, starts_at=now - _DAY, ends_at=now + _DAY))
            presence.ensure_rows(session, now)
            found = credentials.logins(session, now)
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

    def _open_phones(self) -> tuple[subprocess.Popen[str], int]:
        self._keys = {who: ec.generate_private_key(ec.SECP256R1()) for who in CONTROL_ROOM}
        self._secrets = {who: secrets.token_bytes(16) for who in CONTROL_ROOM}
        host = self.cables["notify"].here if "notify" in self.cables else "127.0.0.1"
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.phones", host, str(self.folder / "phones.ndjson")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        keys = {
            who: (key.private_numbers().private_value, base64.b64encode(self._secrets[who]).decode())
            for who, key in self._keys.items()
        }
        process.stdin.write(json.dumps(keys) + "\n")
        process.stdin.flush()
        return process, int(process.stdout.readline())

    def _subscribe(self, port: int) -> None:
        host = self.cables["notify"].here if "notify" in self.cables else "127.0.0.1"
        with self.database.write() as session:
            for who, key in self._keys.items():
                point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
                address = subscription(f"http://{host}:{port}/{who}", _text(point), _text(self._secrets[who]))
                session.add(
                    Contact(
                        id=who,
                        compound=COMPOUND,
                        responder=who,
                        kind=ChannelKind.WEB_PUSH,
                        name="phone",
                        address=address,
                        settings={},
                        created_at=self.ground.clock.now(),
                    )
                )


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

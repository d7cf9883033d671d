"""Any number of compounds with devices before one real deployment, and what its processes take.

The broker and the core's roles run as processes, as in `ringward up`, but without the console. Devices are
one more process, which is counted nowhere.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import msgspec
from sqlalchemy import func, select

from alerts.leases import AlertLease
from devices import presence
from devices.models import Device, DeviceKind, Stage
from devices.secrets import hash_secret
from recognition.models import DecisionRow
from registry.models import Compound, Ring, Zone
from ringward.bench.machine import used_s
from ringward.bench.rig import SECRET
from ringward.bench.street import build_street
from ringward.brokerchild import BrokerChild
from ringward.children import Child
from ringward.environment import environment_for
from ringward.figures import PROCESS
from ringward.foundation import Foundation, lay
from ringward.ports import free_port
from ringward.settings import Settings
from storage import migrate
from storage.events import EventRow, OutboxRow

ROLES: Final = ("ingest", "relay", "alerts", "notify", "devices", "keeper")
DEADLINE_S: Final = 180.0
_STEP_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Estate:
    """A running deployment of several compounds. `devices` are pairs of compound and device."""

    foundation: Foundation
    devices: Sequence[tuple[str, str]]
    broker: BrokerChild
    children: Sequence[Child] = field(default_factory=list)

    @property
    def mqtt_port(self) -> int:
        return self.foundation.settings.mqtt_port

    def processes(self) -> dict[str, int]:
        """Names and ids of whatever runs now."""
        running = [self.broker.child, *self.children]
        return {one.name: one.pid for one in running if one.pid is not None}

    def used_s(self) -> float:
        """Seconds that all its processes have worked since they started."""
        return sum(used_s(pid) for pid in self.processes().values())

    def stored(self) -> int:
        """Events that devices published, as the database has them."""
        with self.foundation.database.read() as session:
            query = select(func.count()).select_from(EventRow).where(EventRow.type == "access.granted")
            return session.scalar(query) or 0

    def decided(self) -> dict[str, float]:
        """Milliseconds from a device's publish to the decision, by the event's track."""
        with self.foundation.database.read() as session:
            rows = session.execute(
                select(EventRow.body, EventRow.device_time, DecisionRow.decided_at).join(
                    DecisionRow, DecisionRow.event_id == EventRow.id
                )
            ).all()
        return {str(body.get("track")): (at - sent).total_seconds() * 1000 for body, sent, at in rows}

    def told(self) -> bool:
        """Whether nothing waits in the outbox."""
        with self.foundation.database.read() as session:
            return not session.scalar(select(func.count()).select_from(OutboxRow))

    def await_(self, condition: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
        """Raises `TimeoutError`, or `RuntimeError` where a process ended meanwhile."""
        deadline = time.monotonic() + deadline_s
        while not condition():
            if len(self.processes()) < 1 + len(self.children):
                raise RuntimeError(f"a process ended: {what}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"not in time: {what}")
            time.sleep(_STEP_S)


@contextmanager
def estate(
    *, compounds: int, devices: int, communities: int = 0, beside: Mapping[str, str] | None = None
) -> Iterator[Estate]:
    """`devices` spread over `compounds`; with `communities` the compounds are those, with their people.

    `beside` are further processes, each with the one role that it runs.
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
        if communities:
            names = build_street(foundation.database, foundation.clock.now(), communities=communities)
        else:
            names = [f"bench-{number}" for number in range(compounds)]
        known = _furnish(foundation, names, devices, founded=bool(communities))
        broker = BrokerChild(foundation)
        command = [sys.executable, "-m", "ringward", "run"]
        environment = environment_for(settings) | {"RINGWARD_COMPOUND": names[0]}
        children = [Child("core", [*command, *ROLES], environment)]
        for name, role in (beside or {}).items():
            children.append(Child(name, [*command, role], environment | {PROCESS: name}))
        here = Estate(foundation, known, broker, children)
        broker.start()
        try:
            for child in children:
                child.start()
            here.await_(lambda: _evaluated(foundation) >= len(names), "every compound is evaluated")
            yield here
        finally:
            for child in reversed(children):
                child.stop(60)
            broker.child.stop(15)
            foundation.database.close()


def _furnish(
    ground: Foundation, names: Sequence[str], devices: int, *, founded: bool
) -> list[tuple[str, str]]:
    # Hashing takes its time on purpose: one secret serves everybody who is simulated.
    secret_hash = hash_secret(SECRET)
    known = [(names[number % len(names)], f"bench-device-{number}") for number in range(devices)]
    with ground.database.write() as session:
        if not founded:
            session.add_all(Compound(id=name, name=name) for name in names)
            session.flush()
        session.add_all(
            Zone(id=f"{name}-bench", compound=name, name="bench", ring=Ring.ENTRANCE, kind="gate", outline=[])
            for name in names
        )
        session.flush()
        session.add_all(
            Device(
                id=device,
                compound=compound,
                zone=f"{compound}-bench",
                kind=DeviceKind.DOOR,
                name=device,
                lane=f"{device}-lane",
                direction="in",
                heartbeat_s=24 * 3600,
                secret_hash=secret_hash,
                enabled=True,
                stage=Stage.APPROVED,
            )
            for compound, device in known
        )
        session.flush()
        presence.ensure_rows(session, ground.clock.now())
    return known


def _evaluated(ground: Foundation) -> int:
    """Compounds whose events somebody reads and judges."""
    with ground.database.read() as session:
        return session.scalar(select(func.count()).where(AlertLease.position.is_not(None))) or 0


@dataclass(frozen=True, slots=True)
class Said:
    """What the devices told of a stretch: how many the broker took, and milliseconds to each answer."""

    sent: int
    acknowledged: int
    waits_ms: Sequence[float]


class Crowd:
    """The devices, as one process: each with a connection of its own. Closed by leaving."""

    def __init__(self, here: Estate, devices: Sequence[tuple[str, str]] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ringward.bench.crowd", str(here.mqtt_port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._say({"devices": list(here.devices if devices is None else devices)})

    def __enter__(self) -> Self:
        self._answer()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, *, rate: float, seconds: float) -> None:
        """`rate` events a second of all of them in turn, for `seconds`; `end` waits for them."""
        self._say({"rate": rate, "seconds": seconds})

    def end(self) -> Said:
        """After the last event was answered, or nothing came any more for half a minute."""
        return msgspec.convert(self._answer(), Said)

    def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _say(self, what: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def _answer(self) -> dict[str, object]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the devices are gone")
        answer: dict[str, object] = json.loads(line)
        return answer

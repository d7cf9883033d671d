"""Two ingests that share the compounds beside one that takes them all, on PostgreSQL.

Both drain the same backlog from the same broker, each through sessions of its own. Where two cores are
shared with broker and database, what counts is the processor time that an event takes: it must not grow
with the number of ingests.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import func, select

from bus.subjects import uplink
from devices import presence
from devices.models import Device, DeviceKind, Stage
from ingest.mqtt.session import forget_session, open_session
from ingest.share import NONE, Share, share
from registry.models import Compound, Ring, Zone
from ringward import schema
from ringward.bench.machine import used_s
from ringward.bench.postgres import postgres_url
from ringward.bench.publisher import event
from ringward.bench.report import Report, report
from ringward.brokerchild import BrokerChild
from ringward.environment import environment_for
from ringward.foundation import CORE_USER, Foundation, ingest_login, lay
from ringward.ports import free_port
from ringward.settings import Settings
from storage import migrate
from storage.events import EventRow

COMPOUNDS: Final = ("bench-north", "bench-south")
SIZE: Final = 2048
DEADLINE_S: Final = 300.0
_STEP_S: Final = 0.02


def run(*, events: int, rounds: int) -> Report:
    """`events` are those of each compound and round. Raises `LookupError` without a PostgreSQL."""
    ones: list[tuple[float, float]] = []
    twos: list[tuple[float, float]] = []
    with postgres_url(None) as url:
        if url is None:
            raise LookupError("no PostgreSQL to measure on")
        with tempfile.TemporaryDirectory(prefix="ringward-bench-") as folder:
            ground, broker = _laid(Path(folder), url)
            try:
                for number in range(rounds):
                    first = 2 * number * events
                    ones.append(_drain(ground, [(None, "all")], events, first))
                    halves = [(name, "all" if name == COMPOUNDS[0] else NONE) for name in COMPOUNDS]
                    twos.append(_drain(ground, halves, events, first + events))
            finally:
                broker.child.stop(10)
                ground.database.close()
    one_rate, one_cpu = (sorted(column)[len(ones) // 2] for column in zip(*ones, strict=True))
    two_rate, two_cpu = (sorted(column)[len(twos) // 2] for column in zip(*twos, strict=True))
    return report(
        "shards",
        {"events": events, "rounds": rounds, "size_bytes": SIZE, "database": "postgresql"},
        {
            "one_ingest_events_per_s": one_rate,
            "two_ingests_events_per_s": two_rate,
            "one_ingest_cpu_an_event_ms": one_cpu,
            "two_ingests_cpu_an_event_ms": two_cpu,
        },
        {},
        {"two_over_one": two_rate / one_rate, "cpu_an_event_two_over_one": two_cpu / one_cpu},
    )


def _laid(folder: Path, url: str) -> tuple[Foundation, BrokerChild]:
    foundation = lay(
        Settings(
            data_dir=folder,
            database_url=url,
            nats_port=free_port("127.0.0.1", 15222),
            mqtt_port=free_port("127.0.0.1", 15883),
            compound=COMPOUNDS[0],
        )
    )
    assert schema.metadata.tables
    migrate.upgrade(foundation.database)
    with foundation.database.write() as session:
        for name in COMPOUNDS:
            session.add(Compound(id=name, name=name))
            session.flush()
            session.add(
                Zone(
                    id=f"{name}-gate",
                    compound=name,
                    name="gate",
                    ring=Ring.ENTRANCE,
                    kind="gate",
                    outline=[],
                )
            )
            session.flush()
            session.add(
                Device(
                    id=f"{name}-reader",
                    compound=name,
                    zone=f"{name}-gate",
                    kind=DeviceKind.DOOR,
                    name=name,
                    lane="lane",
                    direction="in",
                    heartbeat_s=3600,
                    secret_hash="",
                    enabled=True,
                    stage=Stage.APPROVED,
                )
            )
        session.flush()
        presence.ensure_rows(session, foundation.clock.now())
    broker = BrokerChild(foundation)
    broker.start()
    return foundation, broker


def _drain(
    ground: Foundation, shares: Sequence[tuple[str | None, str]], events: int, first: int
) -> tuple[float, float]:
    """Events a second, and milliseconds of the ingests' processor time an event."""
    logins = []
    for compounds, vendors in shares:
        one: Share = share(compounds, vendors)
        login = ingest_login(
            ground.settings.model_copy(
                update={
                    "ingest_compounds": compounds,
                    "ingest_vendor_topics": vendors,
                    "mqtt_client_id": f"bench-{first}",
                }
            )
        )
        open_session(login, one.filters())
        logins.append(login)
    _publish(ground, events, first)
    before = _stored(ground)
    processes = [_ingest(ground, compounds, vendors, first) for compounds, vendors in shares]
    try:
        _wait(ground, before + 1)
        began, used = time.monotonic(), sum(used_s(child.pid) for child in processes)
        had = _stored(ground) - before
        _wait(ground, before + len(COMPOUNDS) * events)
        took = time.monotonic() - began
        used = sum(used_s(child.pid) for child in processes) - used
    finally:
        for child in processes:
            child.terminate()
        for child in processes:
            child.wait(60)
        for login in logins:
            # One that is kept would be served for ever.
            forget_session(login)
    done = len(COMPOUNDS) * events - had
    return done / took, 1000 * used / done


def _publish(ground: Foundation, events: int, first: int) -> None:
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id="bench-shards-publisher", protocol=mqtt.MQTTv311
    )
    client.username_pw_set(CORE_USER, ground.bus.password)
    client.max_inflight_messages_set(1000)
    client.max_queued_messages_set(0)
    client.connect("127.0.0.1", ground.settings.mqtt_port)
    client.loop_start()
    last = None
    for number in range(first, first + events):
        for name in COMPOUNDS:
            last = client.publish(uplink(name, f"{name}-reader", "event"), event(number, SIZE), qos=1)
    if last is not None:
        last.wait_for_publish(DEADLINE_S)
    client.disconnect()
    client.loop_stop()


def _ingest(ground: Foundation, compounds: str | None, vendors: str, first: int) -> subprocess.Popen[bytes]:
    environment = environment_for(ground.settings) | {
        "RINGWARD_DATABASE_URL": str(ground.settings.database_url),
        "RINGWARD_MQTT_CLIENT_ID": f"bench-{first}",
        "RINGWARD_INGEST_VENDOR_TOPICS": vendors,
        "RINGWARD_PUSH_PORT": str(free_port("127.0.0.1", 18090)),
        "RINGWARD_LOG_LEVEL": "error",
    }
    if compounds is not None:
        environment["RINGWARD_INGEST_COMPOUNDS"] = compounds
    return subprocess.Popen([sys.executable, "-m", "ringward", "run", "ingest"], env=environment)


def _stored(ground: Foundation) -> int:
    with ground.database.read() as session:
        return session.scalar(select(func.count()).select_from(EventRow)) or 0


def _wait(ground: Foundation, count: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while _stored(ground) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{_stored(ground)} of {count} events came")
        time.sleep(_STEP_S)

"""What one event and one process take: bytes on disks, processor time, memory; for `ringward plan`.

Processor time and bytes, not seconds: they change little when others use the machine, too.
"""

import asyncio
import datetime as dt
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry
from sqlalchemy import func, select, text

from alerts import leases
from bus.messages import EventStored, Sighting, encode
from bus.relay import Relay, RelayMetrics
from devices import presence
from devices.directory import DeviceDirectory
from registry.models import Compound
from ringward import memory
from ringward.bench import madelog
from ringward.bench.deployment import made_database
from ringward.bench.madedays import EVENTS_A_DAY, Day
from ringward.bench.postgres import postgres_url
from ringward.bench.report import Report, report
from ringward.bench.rig import Rig, publisher, rig
from ringward.bench.timed import TimedIntake, subscriber, wait_for
from ringward.ports import free_port
from storage import Database, migrate
from storage.events import OutboxRow

_MIDNIGHT: Final = dt.datetime(2026, 11, 22, 16, tzinfo=dt.UTC)
_ROLES: Final = ("ingest", "relay", "devices", "alerts", "notify", "keeper", "console")
_SETTLE_S: Final = 6.0
"""How long a role has to load what it needs before its memory is read."""
_DEVICES: Final = 2000
_COMPOUNDS: Final = 1000
_TIMES: Final = 10
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def run(*, events: int, database_url: str | None) -> Report:
    """Stores a made day, takes `events` in and to the bus, starts each role once, looks many devices over."""
    memory.settle()
    figures = _stored(database_url)
    with rig() as ground:
        figures |= _carried(ground, events)
        figures |= _resident(ground)
    figures |= _looked_over()
    return report(
        "footprint", {"events": events, "size_bytes": 2048, "events_a_day": EVENTS_A_DAY}, figures, {}, {}
    )


def _stored(database_url: str | None) -> dict[str, float]:
    figures: dict[str, float] = {}
    with made_database() as database:
        messages = _day(database)
        before = _file_bytes(database)
        madelog.log(database, messages)
        events = sum(isinstance(one, EventStored) for one in messages)
        figures["sqlite_bytes_per_event"] = (_file_bytes(database) - before) / events
        figures["bus_bytes_per_message"] = sum(len(encode(one)) for one in messages) / len(messages)
        figures["messages_per_event"] = len(messages) / events
        with postgres_url(database_url) as url:
            if url is not None:
                other = Database(url)
                migrate.upgrade(other)
                messages = _day(other)
                before = _server_bytes(other)
                madelog.log(other, messages)
                figures["postgresql_bytes_per_event"] = (_server_bytes(other) - before) / events
                other.close()
    return figures


def _day(database: Database) -> list[EventStored | Sighting]:
    cast = madelog.found(database, "made-0", "m0", _MIDNIGHT - dt.timedelta(days=1))
    return Day("made-0", "m0", cast, seed=1).messages(_MIDNIGHT, EVENTS_A_DAY)


def _file_bytes(database: Database) -> int:
    database.fold_log()
    return Path(database.url.removeprefix("sqlite:///")).stat().st_size


def _server_bytes(database: Database) -> int:
    with database.engine.connect() as connection:
        size: int = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    return size


def _carried(ground: Rig, events: int) -> dict[str, float]:
    """Processor milliseconds an event: of ingest, of the relay, and of the broker for both together."""
    intake = TimedIntake(ground)
    receiving = subscriber(ground, intake, "footprint")
    receiving.start()
    wait_for(lambda: receiving.connected)
    broker = ground.broker.child.pid
    of_broker, ours = _cpu_s(broker), time.process_time()
    publisher(ground.mqtt_port, events, 2048, 0).wait(300)
    wait_for(lambda: intake.committed >= events)
    ingest = time.process_time() - ours
    receiving.stop()
    database = ground.foundation.database
    ours = time.process_time()
    asyncio.run(_relay(ground))
    relayed = time.process_time() - ours
    with database.read() as session:
        left = session.scalar(select(func.count()).select_from(OutboxRow))
    if left:
        raise RuntimeError(f"{left} messages were not relayed")
    return {
        "ingest_cpu_ms_per_event": ingest / events * 1000,
        "relay_cpu_ms_per_message": relayed / events * 1000,
        "broker_cpu_ms_per_event": (_cpu_s(broker) - of_broker) / events * 1000,
    }


async def _relay(ground: Rig) -> None:
    foundation = ground.foundation
    relay = Relay(foundation.database, foundation.bus, RelayMetrics(CollectorRegistry()))
    task = asyncio.create_task(relay.run())
    deadline = time.monotonic() + 300
    try:
        while time.monotonic() < deadline and await asyncio.to_thread(_waits, foundation.database):
            await asyncio.wait({task}, timeout=0.2)
    finally:
        task.cancel()
        await asyncio.wait({task})


def _waits(database: Database) -> bool:
    with database.read() as session:
        return session.scalar(select(OutboxRow.seq).limit(1)) is not None


def _resident(ground: Rig) -> dict[str, float]:
    """Megabytes (10^6 bytes) of each role as a process that has nothing to do, and of the broker."""
    figures = {"broker_resident_mb": _resident_mb(ground.broker.child.pid)}
    for role in _ROLES:
        with _running(ground, role) as pid:
            time.sleep(_SETTLE_S)
            figures[f"{role}_resident_mb"] = _resident_mb(pid)
    return figures


@contextmanager
def _running(ground: Rig, role: str) -> Iterator[int]:
    settings = ground.foundation.settings
    environment = os.environ | {
        "RINGWARD_DATA_DIR": str(settings.data_dir),
        "RINGWARD_NATS_PORT": str(settings.nats_port),
        "RINGWARD_MQTT_PORT": str(ground.mqtt_port),
        "RINGWARD_COMPOUND": settings.compound,
        "RINGWARD_HTTP_PORT": str(free_port("127.0.0.1", 18480)),
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "ringward", "run", role],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield child.pid
    finally:
        child.terminate()
        child.wait(30)


def _looked_over() -> dict[str, float]:
    """Processor microseconds a device in the round for silent ones, and a compound in that of leases."""
    with rig(more=_DEVICES) as ground:
        database, now = ground.foundation.database, ground.foundation.clock.now()
        directory = DeviceDirectory(database)
        with database.write() as session:
            session.add_all(Compound(id=f"bench-{one}", name=f"bench-{one}") for one in range(_COMPOUNDS))
            session.flush()
            presence.ensure_rows(session, now)

        def sweep() -> None:
            known = {device.device_id: device for device in directory.all() if device.enabled}
            with database.write() as session:
                presence.ensure_rows(session, now)
                presence.sweep(session, known, now, now)

        with database.write() as session:
            for one in range(_COMPOUNDS):
                leases.acquire(session, f"bench-{one}", "bench", now)

        def look() -> None:
            with database.read() as session:
                session.scalars(select(Compound.id)).all()
                leases.held(session, now)

        return {
            "sweep_us_per_device": _each_us(sweep, _DEVICES),
            "lease_us_per_compound": _each_us(look, _COMPOUNDS),
        }


def _each_us(work: Callable[[], None], units: int) -> float:
    work()
    began = time.process_time()
    for _ in range(_TIMES):
        work()
    return (time.process_time() - began) / _TIMES / units * 1e6


def _cpu_s(pid: int | None) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident_mb(pid: int | None) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"process {pid} is gone")

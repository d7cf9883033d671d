"""What our layers take of what the parts below can do: a store, a broker, a bus, each beside its bare self.

Events and their outbox rows go through the log as ingest writes them, one commit a batch; the ceiling
is the driver's own executemany with the same values into tables of the same columns. The relay carries the
outbox to JetStream; the ceiling is a bare publish of the same messages, as many under way at a time.
"""

import asyncio
import datetime as dt
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import nats
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import func, insert, select, text
from sqlalchemy.engine import Engine

from bus import subjects
from bus.messages import EventStored, encode
from bus.relay import declare
from registry.models import Compound
from ringward import memory
from ringward.bench.deployment import made_database
from ringward.bench.postgres import postgres_url
from ringward.bench.report import Report, report
from ringward.bench.rig import COMPOUND, FACE_CAMERA, SECRET, Rig, rig
from ringward.roles import RelayRole
from storage import Database, migrate, new_id
from storage.events import EVENT_COLUMNS, OutboxRow, enqueue, store

BATCH: Final = 100
UNDER_WAY: Final = 256
DEADLINE_S: Final = 300.0
_DEVICE: Final = "bench-device"


def run(*, events: int, rounds: int, database_url: str | None) -> Report:
    """`events` of each kind a round; medians over the rounds, ours and the ceiling in turn."""
    memory.settle()
    figures: dict[str, float] = {}
    ceilings: dict[str, float] = {}
    ratios: dict[str, float] = {}

    def keep(name: str, ceiling: str, ours: Sequence[float], bare: Sequence[float]) -> None:
        figures[name], ceilings[ceiling] = statistics.median(ours), statistics.median(bare)
        ratios[f"{name.removesuffix('_per_s')}_over_raw"] = statistics.median(
            one / other for one, other in zip(ours, bare, strict=True)
        )

    with made_database() as database, postgres_url(database_url) as url:
        known = {"sqlite": database}
        if url is not None:
            known["postgresql"] = Database(url)
            migrate.upgrade(known["postgresql"])
        for kind, one in known.items():
            keep(f"{kind}_events_per_s", f"{kind}_raw_insert_per_s", *_stores(one, events, rounds))
        if url is not None:
            known["postgresql"].close()
    with rig() as ground:
        keep("relayed_per_s", "raw_jetstream_publish_per_s", *asyncio.run(_relays(ground, events, rounds)))
        ceilings["raw_paho_publish_to_puback_per_s"] = statistics.median(
            _pahos(ground, events) for _ in range(rounds)
        )
    settings = {"events": events, "rounds": rounds, "batch": BATCH, "under_way": UNDER_WAY}
    return report("stores", settings, figures, ceilings, ratios)


def _stores(database: Database, events: int, rounds: int) -> tuple[list[float], list[float]]:
    with database.write() as session:
        session.execute(insert(Compound), [{"id": COMPOUND, "name": COMPOUND}])
    _bare_tables(database)
    ours, bare = [], []
    for _ in range(rounds):
        batches = _batches(events)
        ours.append(_rate(lambda given=batches: _ours(database, given), events))  # type: ignore[misc]
        batches = _batches(events)
        bare.append(_rate(lambda given=batches: _bare(database.engine, given), events))  # type: ignore[misc]
    return ours, bare


def _rate(what: Callable[[], None], events: int) -> float:
    started = time.monotonic()
    what()
    return events / (time.monotonic() - started)


Batch = tuple[list[tuple[Any, ...]], list[tuple[str, str, bytes]]]


def _batches(events: int) -> list[Batch]:
    made: list[Batch] = []
    for start in range(0, events, BATCH):
        told = [_event() for _ in range(min(BATCH, events - start))]
        rows = [_row(one) for one in told]
        made.append(
            (rows, [(one.id, subjects.event(COMPOUND, one.ring, one.type), encode(one)) for one in told])
        )
    return made


def _ours(database: Database, batches: Sequence[Batch]) -> None:
    for rows, messages in batches:
        with database.write() as session:
            store(session, rows)
            enqueue(session, messages)


def _bare_tables(database: Database) -> None:
    columns = ", ".join(f"{name} TEXT" for name in EVENT_COLUMNS if name != "id")
    blob = "BLOB" if database.is_sqlite else "BYTEA"
    with database.write() as session:
        session.execute(text(f"CREATE TABLE bench_raw_events (id VARCHAR(64) PRIMARY KEY, {columns})"))
        session.execute(
            text(f"CREATE TABLE bench_raw_outbox (message_id VARCHAR(96), subject TEXT, payload {blob})")
        )


def _bare(engine: Engine, batches: Sequence[Batch]) -> None:
    """The driver alone: its connection, its executemany, its commit."""
    mark = "?" if engine.dialect.name == "sqlite" else "%s"
    # Marks alone are put in; nothing of anybody's is.
    into_events = f"INSERT INTO bench_raw_events VALUES ({', '.join([mark] * len(EVENT_COLUMNS))})"  # noqa: S608
    into_outbox = f"INSERT INTO bench_raw_outbox VALUES ({mark}, {mark}, {mark})"  # noqa: S608
    connection = engine.raw_connection()
    try:
        for rows, messages in batches:
            cursor = connection.cursor()
            if engine.dialect.name == "sqlite":
                # Ours leaves the driver in autocommit and begins for itself.
                cursor.execute("BEGIN")
            plain = [tuple(None if value is None else str(value) for value in row) for row in rows]
            cursor.executemany(into_events, plain)
            cursor.executemany(into_outbox, messages)
            connection.commit()
            cursor.close()
    finally:
        connection.close()


async def _relays(ground: Rig, events: int, rounds: int) -> tuple[list[float], list[float]]:
    address = ground.foundation.bus
    client = await nats.connect(address.url, **address.options())
    ours, bare = [], []
    try:
        jetstream = client.jetstream()
        await declare(jetstream)
        for _ in range(rounds):
            batches = _batches(events)
            await asyncio.to_thread(_ours, ground.foundation.database, batches)
            ours.append(await _relay(ground, events))
            batches = _batches(events)
            started = time.monotonic()
            gate = asyncio.Semaphore(UNDER_WAY)

            async def publish(subject: str, payload: bytes, gate: asyncio.Semaphore = gate) -> None:
                async with gate:
                    await jetstream.publish(subject, payload)

            await asyncio.gather(
                *(publish(subject, payload) for _, messages in batches for _, subject, payload in messages)
            )
            bare.append(events / (time.monotonic() - started))
    finally:
        await client.close()
    return ours, bare


async def _relay(ground: Rig, events: int) -> float:
    """Messages a second from a relay's start until nothing waits."""
    role = RelayRole(ground.foundation)
    await role.start()
    try:
        started = time.monotonic()
        while await asyncio.to_thread(_waiting, ground.foundation.database):
            if time.monotonic() - started > DEADLINE_S:
                raise TimeoutError("the outbox is not carried")
            await asyncio.sleep(0.005)
        return events / (time.monotonic() - started)
    finally:
        await role.stop()


def _waiting(database: Database) -> bool:
    with database.read() as session:
        return bool(session.scalar(select(func.count()).select_from(OutboxRow)))


def _pahos(ground: Rig, events: int) -> float:
    """Messages a second that the broker takes at QoS 1 from one bare client, nobody listening."""
    done = threading.Event()
    answered = 0

    def on_publish(*_: Any) -> None:
        nonlocal answered
        answered += 1
        if answered == events:
            done.set()

    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=FACE_CAMERA, protocol=mqtt.MQTTv311)
    client.username_pw_set(FACE_CAMERA, SECRET)
    client.max_inflight_messages_set(UNDER_WAY)
    client.max_queued_messages_set(0)
    client.on_publish = on_publish
    client.connect("127.0.0.1", ground.mqtt_port)
    client.loop_start()
    payload = encode(_event())
    started = time.monotonic()
    for _ in range(events):
        client.publish(f"rw/v1/{COMPOUND}/{FACE_CAMERA}/up/event", payload, qos=1)
    try:
        if not done.wait(DEADLINE_S):
            raise TimeoutError(f"{answered} of {events} were answered")
        return events / (time.monotonic() - started)
    finally:
        client.disconnect()
        client.loop_stop()


def _event() -> EventStored:
    now = dt.datetime.now(dt.UTC)
    return EventStored(
        id=new_id(),
        compound=COMPOUND,
        device_id=_DEVICE,
        type="access.granted",
        ring="entrance",
        zone="gate",
        device_time=now,
        at=now,
        received_at=now,
        direction="in",
    )


def _row(event: EventStored) -> tuple[Any, ...]:
    found: dict[str, Any] = {
        "id": event.id,
        "compound": event.compound,
        "device_id": event.device_id,
        "record_id": event.id,
        "type": event.type,
        "ring": event.ring,
        "zone": event.zone,
        "direction": event.direction,
        "device_time": event.device_time,
        "corrected_time": event.at,
        "received_at": event.received_at,
        "late": False,
        "marks": [],
        "body": {"pad": "x" * 300},
        "content_hash": "",
        "resent": 0,
    }
    return tuple(found.get(name) for name in EVENT_COLUMNS)

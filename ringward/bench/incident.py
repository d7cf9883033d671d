"""Event → incident: from before the event's commit to an incident that every reader sees.

Events are written as ingest writes them, one commit with the outbox each; relay and alerts run as a
process of their own, with all rules. Some of the events are doors that were forced, which a rule
answers at once; the others are people who go in and out. The peer of the same run is the same way
with no rules at its end: a reader of the same stream that writes one bare row an event.
"""

import asyncio
import datetime as dt
import statistics
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

import nats
from nats.aio.client import Client
from sqlalchemy import select, text

from alerts.incidents.models import Incident
from alerts.leases import AlertLease
from bus import subjects
from bus.following import Follower
from bus.messages import EventStored, decode, encode
from bus.relay import WAKE
from registry.models import Ring, Zone
from ringward.bench.report import Report, percentile, report
from ringward.bench.rig import COMPOUND, Rig, rig
from ringward.children import Child
from ringward.supervisor import environment_for
from storage import new_id
from storage.events import EventRow, enqueue

DEADLINE_S: Final = 60.0
_LOOK_S: Final = 0.002
_HOUSE: Final = "bench-house"
_WARM_UP_S: Final = 2.0


def run(*, seconds: int, rate: float, share: float) -> Report:
    """`rate` events a second for `seconds`, a `share` of which become an incident each."""
    with rig() as ground:
        _furnish(ground)
        environment = environment_for(ground.foundation.settings) | {"RINGWARD_LOG_LEVEL": "warning"}
        relay = Child("relay", [sys.executable, "-m", "ringward", "run", "relay"], environment)
        alerts = Child("alerts", [sys.executable, "-m", "ringward", "run", "alerts"], environment)
        relay.start()
        try:
            bare = asyncio.run(_bare(ground, seconds, rate, share))
            alerts.start()
            _wait(lambda: _is_held(ground), "a process evaluates the compound")
            told = asyncio.run(_told(ground, seconds, rate, share))
        finally:
            alerts.stop(20)
            relay.stop(20)
    return report(
        "incident",
        {"seconds": seconds, "rate_per_s": rate, "incident_share": share, "incidents": len(told)},
        {
            "event_to_incident_p50_ms": percentile(told, 0.5),
            "event_to_incident_p99_ms": percentile(told, 0.99),
            "event_to_incident_max_ms": max(told),
        },
        {
            "event_to_bare_row_p50_ms": percentile(bare, 0.5),
            "event_to_bare_row_p99_ms": percentile(bare, 0.99),
        },
        {
            "incident_p50_over_bare": percentile(told, 0.5) / statistics.median(bare),
            "incident_p99_over_bare": percentile(told, 0.99) / percentile(bare, 0.99),
        },
    )


def _furnish(ground: Rig) -> None:
    with ground.foundation.database.write() as session:
        session.add(
            Zone(id=_HOUSE, compound=COMPOUND, name=_HOUSE, ring=Ring.BUILDING, kind="building", outline=[])
        )
        session.execute(text("CREATE TABLE bench_bare (lane VARCHAR(64) PRIMARY KEY)"))


async def _bare(ground: Rig, seconds: int, rate: float, share: float) -> list[float]:
    """The same events to a reader without rules."""
    client = await nats.connect(ground.foundation.bus.url, **ground.foundation.bus.options())
    # Until the relay has made the stream there is nothing to follow.
    await asyncio.to_thread(_wait, lambda: _has_stream(ground), "the relay has made the stream")
    follower = Follower(client, [f"event.{COMPOUND}.>"], 0)
    await follower.start()

    async def keep() -> None:
        while True:
            stretch = await follower.next()
            lanes = [
                {"lane": message.lane}
                for message in (decode(entry.payload) for entry in stretch.entries)
                if isinstance(message, EventStored) and message.type == "door.forced"
            ]
            if lanes:
                await asyncio.to_thread(_keep_bare, ground, lanes)

    keeping = asyncio.create_task(keep())
    seen = _Looking(lambda: _bare_lanes(ground))
    try:
        sent = await _say(ground, client, seconds, rate, share)
        return await asyncio.to_thread(seen.latencies, sent)
    finally:
        seen.stop()
        keeping.cancel()
        await follower.stop()
        await client.close()


async def _told(ground: Rig, seconds: int, rate: float, share: float) -> list[float]:
    client = await nats.connect(ground.foundation.bus.url, **ground.foundation.bus.options())
    seen = _Looking(lambda: _incident_lanes(ground))
    try:
        sent = await _say(ground, client, seconds, rate, share)
        return await asyncio.to_thread(seen.latencies, sent)
    finally:
        seen.stop()
        await client.close()


async def _say(ground: Rig, client: Client, seconds: int, rate: float, share: float) -> dict[str, float]:
    """Writes events at a steady rate; lane → when it began, of those that become an incident."""
    sent: dict[str, float] = {}
    every = max(1, round(1 / share))
    began = time.monotonic()
    for number in range(round((seconds + _WARM_UP_S) * rate)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        forced = number % every == 0
        event = _event("door.forced" if forced else "access.granted")
        started = time.monotonic()
        await asyncio.to_thread(_store, ground, event)
        await client.publish(WAKE)
        if forced and number >= _WARM_UP_S * rate:
            sent[event.lane or ""] = started
    return sent


def _event(kind: str) -> EventStored:
    now = dt.datetime.now(dt.UTC)
    name = new_id()
    return EventStored(
        id=name,
        compound=COMPOUND,
        device_id=f"door-{name[-8:]}",
        type=kind,
        ring="building",
        zone=_HOUSE,
        device_time=now,
        at=now,
        received_at=now,
        lane=f"lane-{name}",
        direction="in",
    )


def _store(ground: Rig, event: EventStored) -> None:
    with ground.foundation.database.write() as session:
        session.add(
            EventRow(
                id=event.id,
                compound=event.compound,
                device_id=event.device_id,
                record_id=event.id,
                type=event.type,
                ring=event.ring,
                zone=event.zone,
                lane=event.lane,
                direction=event.direction,
                device_time=event.device_time,
                corrected_time=event.at,
                received_at=event.received_at,
                late=False,
                marks=[],
                body={},
                content_hash="",
            )
        )
        session.flush()
        enqueue(session, [(event.id, subjects.event(COMPOUND, event.ring, event.type), encode(event))])


class _Looking:
    """Looks every two milliseconds what is there, and notes when it saw each thing first."""

    def __init__(self, there: Callable[[], set[str]]) -> None:
        self._there = there
        self._first: dict[str, float] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def latencies(self, sent: dict[str, float]) -> list[float]:
        """Milliseconds; raises `TimeoutError` where something never comes."""
        _wait(lambda: sent.keys() <= self._first.keys(), "everything that was told is there")
        return [(self._first[lane] - started) * 1000 for lane, started in sent.items()]

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stopping.wait(_LOOK_S):
            found = self._there()
            now = time.monotonic()
            for lane in found:
                self._first.setdefault(lane, now)


def _incident_lanes(ground: Rig) -> set[str]:
    recent = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=2)
    with ground.foundation.database.read() as session:
        query = select(Incident.lane).where(Incident.compound == COMPOUND, Incident.raised_at > recent)
        return {lane or "" for lane in session.scalars(query)}


def _bare_lanes(ground: Rig) -> set[str]:
    with ground.foundation.database.read() as session:
        newest = "SELECT lane FROM bench_bare ORDER BY rowid DESC LIMIT 200"
        return set(session.scalars(text(newest)))


def _keep_bare(ground: Rig, lanes: list[dict[str, str | None]]) -> None:
    with ground.foundation.database.write() as session:
        session.execute(text("INSERT INTO bench_bare (lane) VALUES (:lane) ON CONFLICT DO NOTHING"), lanes)


def _is_held(ground: Rig) -> bool:
    with ground.foundation.database.read() as session:
        return session.scalar(select(AlertLease.position).where(AlertLease.compound == COMPOUND)) is not None


def _has_stream(ground: Rig) -> bool:
    async def look() -> bool:
        client = await nats.connect(ground.foundation.bus.url, **ground.foundation.bus.options())
        try:
            await client.jetstream().stream_info(subjects.STREAM)
        except Exception:  # noqa: BLE001 - nats-py has a class for each code; any means "not there yet"
            return False
        finally:
            await client.close()
        return True

    return asyncio.run(look())


def _wait(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not in time: {what}")
        time.sleep(0.02)

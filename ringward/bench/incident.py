"""Event → incident: from before the event's commit to an incident that every reader sees.

Events are written as ingest writes them, one commit with the outbox each; relay and alerts run in the
same process, as they do in `ringward up`, with all rules. Some of the events are doors that were
forced, which a rule answers at once; the others are people who go in and out. The peer of the same
run is the same way with no rules at its end: a reader of the stream that writes one bare row an event.
"""

import asyncio
import datetime as dt
import statistics
import threading
import time
from collections.abc import Callable
from typing import Final

import nats
from sqlalchemy import select, text

from alerts.incidents.models import Incident
from alerts.leases import AlertLease
from bus import subjects
from bus.broker import declare_stream
from bus.following import Follower
from bus.messages import EventStored, decode, encode
from registry.models import Ring, Zone
from ringward.alertside import AlertsRole
from ringward.bench.report import Report, percentile, report
from ringward.bench.rig import COMPOUND, Rig, rig
from ringward.roles import RelayRole
from storage import new_id
from storage.events import EventRow, enqueue

DEADLINE_S: Final = 60.0
# Houses that do not touch: alarms of one house within two minutes would be taken for one thing.
_HOUSES: Final = tuple(f"bench-house-{number}" for number in range(500))
_WARM_UP_S: Final = 2.0


def run(*, seconds: int, rate: float, share: float) -> Report:
    """`rate` events a second for `seconds`, a `share` of which become an incident each."""
    with rig() as ground:
        _furnish(ground)
        bare, told = asyncio.run(_both(ground, seconds, rate, share))
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
        session.add_all(
            Zone(id=house, compound=COMPOUND, name=house, ring=Ring.BUILDING, kind="building", outline=[])
            for house in _HOUSES
        )
        session.execute(text("CREATE TABLE bench_bare (lane VARCHAR(64) PRIMARY KEY)"))


async def _both(ground: Rig, seconds: int, rate: float, share: float) -> tuple[list[float], list[float]]:
    """Latencies without rules, and with them."""
    relay = RelayRole(ground.foundation)
    await relay.start()
    seen = _Seen(ground)

    def committed() -> None:
        relay.relay.wake()
        seen.look()

    alerts = AlertsRole(ground.foundation, committed)
    try:
        await asyncio.to_thread(_wait, relay.ready, "the relay is ready")
        bare = await _bare(ground, relay, seconds, rate, share)
        await alerts.start()
        await asyncio.to_thread(_wait, lambda: _is_held(ground), "the compound is evaluated")
        sent = await _say(ground, relay, seconds, rate, share)
        told = await asyncio.to_thread(seen.latencies, sent)
    finally:
        seen.stop()
        if alerts.ready():
            await alerts.stop()
        await relay.stop()
    return bare, told


async def _bare(ground: Rig, relay: RelayRole, seconds: int, rate: float, share: float) -> list[float]:
    """The same events to a reader without rules."""
    client = await nats.connect(ground.foundation.bus.servers, **ground.foundation.bus.options())
    await declare_stream(client.jetstream())
    follower = Follower(client, [f"event.{COMPOUND}.>"], 0)
    await follower.start()
    kept: dict[str, float] = {}

    async def keep() -> None:
        while True:
            stretch = await follower.next()
            lanes = [
                message.lane or ""
                for message in (decode(entry.payload) for entry in stretch.entries)
                if isinstance(message, EventStored) and message.type == "door.forced"
            ]
            if lanes:
                await asyncio.to_thread(_keep_bare, ground, lanes)
                kept.update(dict.fromkeys(lanes, time.monotonic()))

    keeping = asyncio.create_task(keep())
    try:
        sent = await _say(ground, relay, seconds, rate, share)
        await asyncio.to_thread(_wait, lambda: sent.keys() <= kept.keys(), "every row is there")
    finally:
        keeping.cancel()
        await follower.stop()
        await client.close()
    return [(kept[lane] - started) * 1000 for lane, started in sent.items()]


async def _say(ground: Rig, relay: RelayRole, seconds: int, rate: float, share: float) -> dict[str, float]:
    """Writes events at a steady rate; lane → when it began, of those that become an incident."""
    sent: dict[str, float] = {}
    every = max(1, round(1 / share))
    began = time.monotonic()
    for number in range(round((seconds + _WARM_UP_S) * rate)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        forced = number % every == 0
        house = _HOUSES[number // every % len(_HOUSES)]
        event = _event("door.forced" if forced else "access.granted", house)
        started = time.monotonic()
        await asyncio.to_thread(_store, ground, event)
        relay.relay.wake()
        if forced and number >= _WARM_UP_S * rate:
            sent[event.lane or ""] = started
    return sent


def _event(kind: str, zone: str) -> EventStored:
    now = dt.datetime.now(dt.UTC)
    name = new_id()
    return EventStored(
        id=name,
        compound=COMPOUND,
        device_id=f"door-{name[-8:]}",
        type=kind,
        ring="building",
        zone=zone,
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


class _Seen:
    """Looks, whenever something was committed, what every reader sees by now."""

    def __init__(self, ground: Rig) -> None:
        self._ground = ground
        self._first: dict[str, float] = {}
        self._asked = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def look(self) -> None:
        self._asked.set()

    def latencies(self, sent: dict[str, float]) -> list[float]:
        """Milliseconds; raises `TimeoutError` where something never comes."""
        _wait(lambda: sent.keys() <= self._first.keys(), "every incident is there")
        return [(self._first[lane] - started) * 1000 for lane, started in sent.items()]

    def stop(self) -> None:
        self._stopping = True
        self._asked.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping:
            self._asked.wait()
            self._asked.clear()
            found = _incident_lanes(self._ground)
            now = time.monotonic()
            for lane in found:
                self._first.setdefault(lane, now)


def _incident_lanes(ground: Rig) -> set[str]:
    recent = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=2)
    with ground.foundation.database.read() as session:
        query = select(Incident.lane).where(Incident.compound == COMPOUND, Incident.raised_at > recent)
        return {lane or "" for lane in session.scalars(query)}


def _keep_bare(ground: Rig, lanes: list[str]) -> None:
    with ground.foundation.database.write() as session:
        session.execute(
            text("INSERT INTO bench_bare (lane) VALUES (:lane)"), [{"lane": one} for one in lanes]
        )


def _is_held(ground: Rig) -> bool:
    with ground.foundation.database.read() as session:
        return session.scalar(select(AlertLease.position).where(AlertLease.compound == COMPOUND)) is not None


def _wait(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not in time: {what}")
        time.sleep(0.02)

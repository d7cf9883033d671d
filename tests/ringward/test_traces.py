"""One trace from a device's message to a phone, to a collector on loopback; and nothing where nobody asked for it."""

import asyncio
import contextlib
import dataclasses
import datetime as dt
import json
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.incidents.models import Incident
from alerts.leases import AlertLease
from alerts.notify import receipts
from alerts.notify.models import AttemptState, NotificationAttempt
from devices.models import Device
from registry.models import Ring, Zone
from ringward import process, traces
from ringward.bench.rig import COMPOUND, SECRET, rig
from ringward.bench.subscribers import push_box, subscribe
from ringward.foundation import Foundation, lay
from ringward.settings import Settings
from storage import new_id, tracing
from storage.events import EventRow, OutboxRow
from storage.tracing import Attributes
from tests.support.collector import Collector, collector
from tests.support.ports import free_port
from tests.support.waiting import until, wait_until

DOOR, HOUSE, NIGHT_GUARD = "bench-more-0", "bench-cellar", "bench-night-guard"


@pytest.fixture
def collecting() -> Iterator[Collector]:
    with collector() as made:
        yield made
    tracing.install(None)


def furnished(ground: Foundation) -> None:
    """A door of a house, and somebody on duty for it."""
    now = ground.clock.now()
    with ground.database.write() as session:
        session.add(
            Zone(id=HOUSE, compound=COMPOUND, name=HOUSE, ring=Ring.BUILDING, kind="building", outline=[])
        )
        session.add(Team(id=HOUSE, compound=COMPOUND, name=HOUSE, kind=TeamKind.OPERATOR, zones=[HOUSE]))
        session.flush()
        session.add(Responder(id=NIGHT_GUARD, team=HOUSE, name=NIGHT_GUARD))
        session.flush()
        day = dt.timedelta(days=1)
        session.add(Shift(id="s-1", responder=NIGHT_GUARD, starts_at=now - day, ends_at=now + day))
        door = session.get_one(Device, DOOR)
        door.zone, door.lane = HOUSE, "bench-cellar-lane"


def force_the_door(port: int) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=DOOR, protocol=mqtt.MQTTv311)
    client.username_pw_set(DOOR, SECRET)
    client.connect("127.0.0.1", port)
    client.loop_start()
    at = dt.datetime.now(dt.UTC).isoformat()
    said = json.dumps({"v": 1, "id": "r-1", "type": "door.forced", "at": at, "attributes": {}})
    client.publish(f"rw/v1/{COMPOUND}/{DOOR}/up/event", said, qos=1).wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


def handed_over(ground: Foundation) -> str | None:
    with ground.database.read() as session:
        return session.scalar(
            select(NotificationAttempt.id).where(NotificationAttempt.state == AttemptState.HANDED_OVER)
        )


def is_evaluated(ground: Foundation) -> bool:
    with ground.database.read() as session:
        return session.scalar(select(AlertLease.position).where(AlertLease.compound == COMPOUND)) is not None


async def from_door_to_phone(endpoint: str | None, ratio: float) -> tuple[str, Incident]:
    """Forces a door in a running deployment until the phone has said that it was told; the event's id."""
    with contextlib.ExitStack() as stack:
        ground = stack.enter_context(rig(more=1))
        box = stack.enter_context(push_box(0))
        settings = ground.foundation.settings.model_copy(
            update={
                "traces_endpoint": endpoint,
                "traces_ratio": ratio,
                "notify_networks": "127.0.0.0/8",
                "notify_cool_s": 0,
                "push_port": 0,
            }
        )
        here = dataclasses.replace(ground.foundation, settings=settings)
        furnished(here)
        subscribe(here, box.port, gone=0)
        roles = process.build(["ingest", "relay", "alerts", "notify"], here)
        stack.enter_context(traces.collected(here, [role.name for role in roles]))
        started = []
        try:
            for role in reversed(roles):
                await role.start()
                started.append(role)
            await until(lambda: is_evaluated(here) and all(role.ready() for role in roles), "all is ready")
            await asyncio.to_thread(force_the_door, ground.mqtt_port)
            await until(lambda: handed_over(here) is not None, "the push service has the letter")
            with here.database.write() as session:
                attempt = handed_over(here)
                assert attempt is not None
                assert receipts.received(session, attempt, here.clock.now())
        finally:
            for role in reversed(started):
                await role.stop()
        with here.database.read() as session:
            event = session.scalars(select(EventRow.id).where(EventRow.type == "door.forced")).one()
            incident = session.scalars(select(Incident)).one()
            session.expunge(incident)
        return event, incident


async def test_a_forced_door_is_one_trace_from_its_message_to_the_phone(collecting: Collector) -> None:
    event, incident = await from_door_to_phone(collecting.endpoint, 1.0)
    told = collecting.of(event)
    way = ["ingest", "alerts", "alerts.signal", "reactions", "notify.try", "notify.receipt"]
    assert set(way) <= set(told)
    # Each one's parent is in the trace, and there is one beginning.
    ids = {one.id for one in collecting.spans if one.trace == event}
    assert [one.name for one in told.values() if one.parent not in ids] == ["ingest"]
    assert told["ingest"].parent == ""
    assert told["alerts"].parent == told["ingest"].id
    assert told["alerts.signal"].parent == told["alerts"].id
    # An incident may change more than once: what follows from a change hangs on what made it.
    by_id = {one.id: one for one in collecting.spans}
    assert by_id[told["reactions"].parent].name == "alerts.signal"
    assert by_id[told["notify.try"].parent].name == "reactions"
    assert told["notify.receipt"].parent == told["notify.try"].id
    assert incident.trace is not None
    assert incident.trace[3:35] == event
    assert told["alerts.signal"].attributes["ringward.incident"] == incident.id
    assert told["notify.try"].attributes["ringward.outcome"] == "handed_over"
    assert all(one.began <= one.ended and not one.failed for one in told.values())
    # Nothing of the door, the house or the guard left; and nothing that is not on the list.
    names = {name for one in collecting.spans for name in one.attributes}
    assert names <= {f"ringward.{name}" for name in Attributes.__annotations__}
    for word in (DOOR, HOUSE, NIGHT_GUARD, "bench-cellar-lane", socket.gethostname()):
        assert all(word.encode() not in body for body in collecting.bodies)


async def test_with_a_ratio_of_nothing_nothing_is_told_or_written(collecting: Collector) -> None:
    _, incident = await from_door_to_phone(collecting.endpoint, 0.0)
    assert collecting.spans == []
    assert incident.trace is None


@pytest.fixture
def ground(migrated_file: Path, tmp_path: Path) -> Iterator[Foundation]:
    shutil.copy(migrated_file, tmp_path / "ringward.db")
    made = lay(Settings(data_dir=tmp_path))
    yield made
    made.database.close()
    tracing.install(None)


def root(event: str) -> str | None:
    return tracing.root_of(event)


def aimed(ground: Foundation, endpoint: str | None, ratio: float = 1.0) -> Foundation:
    update = {"traces_endpoint": endpoint, "traces_ratio": ratio}
    settings = ground.settings.model_copy(update=update)
    return dataclasses.replace(ground, settings=settings, metrics=CollectorRegistry())


def test_a_share_of_events_is_traced_and_the_same_everywhere(
    ground: Foundation, collecting: Collector
) -> None:
    ids = [new_id() for _ in range(2000)]
    with traces.collected(aimed(ground, collecting.endpoint, 0.3), ["ingest"]):
        first = {one for one in ids if tracing.root_of(one)}
        assert 400 < len(first) < 800
    with traces.collected(aimed(ground, collecting.endpoint, 0.3), ["alerts"]):
        assert {one for one in ids if tracing.root_of(one)} == first


def test_a_collector_that_hangs_keeps_nobody_waiting(ground: Foundation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = threading.Event()

        def work() -> None:
            with traces.collected(aimed(ground, f"http://127.0.0.1:{silent.getsockname()[1]}"), ["ingest"]):
                for _ in range(2 * traces.QUEUE):
                    tracing.taken_in(new_id(), dt.datetime.now(dt.UTC), compound=COMPOUND)
            done.set()

        threading.Thread(target=work, daemon=True).start()
        assert done.wait(60)


def test_spans_that_nobody_took_are_counted(ground: Foundation) -> None:
    here = aimed(ground, f"http://127.0.0.1:{free_port()}")
    with traces.collected(here, ["ingest"]):
        tracing.taken_in(new_id(), dt.datetime.now(dt.UTC), compound=COMPOUND)
        lost = "ringward_traces_spans_total", {"taken": "false"}
        wait_until(lambda: here.metrics.get_sample_value(*lost) == 1, "it is counted")


def test_what_fails_is_told_by_its_class_alone(ground: Foundation, collecting: Collector) -> None:
    event = new_id()
    here = aimed(ground, collecting.endpoint)
    with traces.collected(here, ["alerts"]), pytest.raises(LookupError), tracing.span("alerts", root(event)):
        raise LookupError("a name that nobody may read")
    (told,) = collecting.spans
    assert told.failed
    assert told.attributes == {"error.type": "LookupError"}
    assert b"nobody may read" not in collecting.bodies[0]


def test_off_loads_nothing_and_writes_nothing(ground: Foundation) -> None:
    with traces.collected(aimed(ground, None), ["ingest"]), ground.database.write() as session:
        assert not tracing.on()
        assert tracing.root_of(new_id()) is None
        with tracing.span("alerts", f"00-{new_id()}-{'1' * 16}-01") as span:
            assert span is None
            session.add(OutboxRow(message_id="m", subject="s", payload=b""))
            session.flush()
        assert session.scalars(select(OutboxRow.trace)).one() is None
    code = "import sys, ringward.process, ringward.traces; sys.exit('opentelemetry.sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_no_place_is_below_nothing(ground: Foundation, collecting: Collector) -> None:
    with traces.collected(aimed(ground, collecting.endpoint), ["alerts"]):
        for place in (None, "", "00-00-00-01", f"00-{'a' * 32}-{'b' * 16}-00", "x" * 55):
            with tracing.span("alerts", place) as span:
                assert span is None
                assert tracing.current() is None
    assert collecting.spans == []

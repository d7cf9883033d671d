"""The round of measures: what hangs on the board, what disappears from it, and what the bus and machine say."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import nats
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import text

from bus import lanes
from bus.broker import declare_stream
from ringward.foundation import Foundation
from ringward.measures import Board, Measuring, machine
from ringward.measures import definitions as of
from ringward.measures.board import BELIEVED
from ringward.measures.bus import BusMeasures
from ringward.measures.definitions import Sample
from ringward.settings import Settings
from storage.audit import AuditEntry, append
from tests.support.brokers import NatsServer
from tests.support.clock import NOON
from tests.support.tampering import unguard


class Seconds:
    at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_a_group_takes_the_place_of_its_last_one_and_goes_when_it_is_old() -> None:
    seconds, registry = Seconds(), CollectorRegistry()
    board = Board(seconds)
    registry.register(board)

    def value(stream: str) -> float | None:
        return registry.get_sample_value(of.STREAM_BYTES.name, {"stream": stream})

    board.hang("bus", 15, [Sample(of.STREAM_BYTES, n, {"stream": s}) for n, s in ((1, "a"), (2, "b"))])
    assert (value("a"), value("b")) == (1, 2)
    board.hang("bus", 15, [Sample(of.STREAM_BYTES, 3, {"stream": "a"})])
    assert (value("a"), value("b")) == (3, None)
    seconds.at += 15 * BELIEVED
    assert value("a") == 3
    seconds.at += 1
    assert value("a") is None
    assert registry.get_sample_value(of.MEASURED_AT.name, {"group": "bus"}) == 1000.0


def test_a_value_carries_exactly_its_labels() -> None:
    board = Board()
    board.hang("x", 15, [Sample(of.STREAM_BYTES, 1, {"consumer": "a"})])
    with pytest.raises(KeyError):
        list(board.collect())


async def taken(measuring: Measuring, name: str) -> bool:
    return await measuring.take(next(group for group in measuring.groups if group.name == name))


async def test_every_group_but_the_bus_is_taken_without_a_bus(ground: Foundation) -> None:
    measuring = Measuring(ground)
    took = {group.name: await measuring.take(group) for group in measuring.groups}
    assert took == {name: name != "bus" for name in took}
    shown = generate_latest(ground.metrics).decode()
    for name in (of.OUTBOX_AGE, of.DISK_FREE, of.DEVICES, of.AUDIT_HEIGHT, of.BACKUP_AGE, of.DATABASE_SIZE):
        assert f"\n{name.name}" in shown
    assert "ringward_bus_stream" not in shown
    await measuring.stop()


async def test_a_broken_chain_is_told_and_is_no_verification(ground: Foundation) -> None:
    with ground.database.write() as session:
        for action in ("a", "b"):
            append(session, ground.clock.now(), AuditEntry("u", "operator", action, "p", "s"))
    measuring = Measuring(ground)

    async def holds() -> tuple[float | None, float | None]:
        await taken(measuring, "audit")
        names = (of.AUDIT_HOLDS.name, of.AUDIT_VERIFIED.name)
        holds, at = (ground.metrics.get_sample_value(name) for name in names)
        return holds, at

    assert await holds() == (1, NOON.timestamp())
    unguard(ground.database)
    with ground.database.write() as session:
        session.execute(text("UPDATE audit SET action = 'c' WHERE action = 'b'"))
    assert await holds() == (0, None)


async def test_bus_says_what_waits_and_for_how_long(nats_server: NatsServer) -> None:
    client = await nats.connect(nats_server.bus.url, **nats_server.bus.options())
    jetstream = client.jetstream()
    await declare_stream(jetstream)
    await lanes.declare(jetstream)
    measures = BusMeasures(nats_server.bus)
    now = dt.datetime.now(dt.UTC)

    async def found(at: dt.datetime) -> dict[tuple[str, str], float]:
        samples = await measures.take(at)
        return {(one.measure.name, *one.labels.values()): one.value for one in samples}

    gates, rest = lanes.GATES.durable, lanes.REST.durable
    empty = await found(now)
    assert empty[of.STREAM_MESSAGES.name, "ringward"] == 0
    assert empty[of.CONSUMER_AGE.name, gates] == 0
    assert (empty[of.STREAM_REPLICAS.name, "ringward"], empty[of.STREAM_CURRENT.name, "ringward"]) == (1, 1)
    for _ in range(3):
        await jetstream.publish("event.honghua.entrance.face.captured", b"{}")
    later = await found(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60))
    assert later[of.CONSUMER_PENDING.name, gates] == 3
    assert later[of.CONSUMER_AGE.name, gates] > 59
    assert later[of.CONSUMER_PENDING.name, rest] == 0
    # One in hand and settled: the age is that of the next.
    held = await jetstream.pull_subscribe_bind(gates, stream="ringward")
    (message,) = await held.fetch(1)
    assert (await found(now))[of.CONSUMER_IN_HAND.name, gates] == 1
    await message.ack_sync()
    after = await found(now)
    assert (after[of.CONSUMER_IN_HAND.name, gates], after[of.CONSUMER_PENDING.name, gates]) == (0, 2)
    nats_server.kill()
    with pytest.raises(Exception):  # noqa: B017 - nats-py has many
        await measures.take(now)
    nats_server.start()
    assert (await found(now))[of.CONSUMER_PENDING.name, gates] >= 2
    await measures.close()
    await client.close()


async def test_keeper_hangs_up_what_it_measures_from_its_start(
    ground: Foundation, nats_server: NatsServer
) -> None:
    from tests.support.waiting import until

    measuring = Measuring(replace(ground, bus=nats_server.bus))
    await measuring.start()
    await until(
        lambda: ground.metrics.get_sample_value(of.MEASURED_AT.name, {"group": "bus"}), "the bus was measured"
    )
    await measuring.stop()
    # Another one measures now: what this one saw last is nobody's business any more.
    assert ground.metrics.get_sample_value(of.MEASURED_AT.name, {"group": "bus"}) is None
    await measuring.start()
    await until(
        lambda: ground.metrics.get_sample_value(of.MEASURED_AT.name, {"group": "waits"}), "it measures again"
    )
    await measuring.stop()


def test_certificates_that_settings_name_are_found(tmp_path: Path) -> None:
    class Later(Settings):
        bus_tls_ca: Path | None = None
        mqtt_tls_cert: Path | None = None

    pem = tmp_path / "ca.pem"
    pem.write_text("no certificate")
    named = Later(bus_tls_ca=pem)
    assert machine.certificates(named) == {"bus_tls_ca": pem}
    assert list(machine.validity(named)) == []


def test_kernel_says_whether_its_clock_follows_anybody() -> None:
    assert machine.synchronised() in {True, False, None}

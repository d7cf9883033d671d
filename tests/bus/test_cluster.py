"""A cluster of three servers: its leader is killed while messages flow, and nothing that was stored is lost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import nats
import pytest
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from prometheus_client import CollectorRegistry

from bus import subjects
from bus.address import BusAddress
from bus.broker import ADVISORY_STREAM, Advisory, build, consume, consume_given_up
from bus.lanes import RECOGNITION
from bus.messages import DeviceChanged, Message, encode
from bus.relay import Relay, RelayMetrics, declare
from storage import Database
from storage.events import enqueue, take_outbox
from tests.support.clock import NOON
from tests.support.cluster import SIZE, NatsCluster
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.alone]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[NatsCluster]:
    made = NatsCluster(tmp_path / "cluster")
    made.start()
    yield made
    made.stop()


@pytest.fixture
async def jetstream(cluster: NatsCluster) -> AsyncIterator[JetStreamContext]:
    client = await nats.connect(cluster.bus.servers, **cluster.bus.options())
    yield client.jetstream()
    await client.close()


def put(database: Database, numbers: range) -> None:
    """One commit each, as events come."""
    for number in numbers:
        changed = DeviceChanged(f"cam-{number}", "honghua", online=True, at=NOON)
        with database.write() as session:
            enqueue(session, [(f"m-{number}", subjects.device("honghua"), encode(changed))])


def waiting(database: Database) -> int:
    with database.read() as session:
        return len(take_outbox(session, 10_000))


async def made(jetstream: JetStreamContext) -> None:
    """A cluster that has just begun has no leader yet: whoever comes tries again, as the relay does."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(NatsError, TimeoutError):
                await declare(jetstream, SIZE)
                for lane in RECOGNITION:
                    await jetstream.consumer_info(subjects.STREAM, lane.durable)
                return
            await asyncio.sleep(0.2)


async def asked(question):
    """The answer of a cluster that may be choosing a leader just then."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(NatsError, TimeoutError):
                return await question()
            await asyncio.sleep(0.2)


async def test_the_leader_is_killed_while_messages_flow(
    cluster: NatsCluster, jetstream: JetStreamContext, database: Database
) -> None:
    await made(jetstream)
    heard: list[str] = []

    async def hear(message: Message) -> None:
        assert isinstance(message, DeviceChanged)
        heard.append(message.device_id)

    async def given_up(_advisory: Advisory) -> None:
        raise AssertionError

    broker = build(cluster.bus)
    consume(broker, "listener", ["device.>"], hear, ack_wait_s=5, replicas=SIZE)
    consume_given_up(broker, given_up, replicas=SIZE)
    await broker.start()
    relay = asyncio.create_task(Relay(database, cluster.bus, RelayMetrics(CollectorRegistry())).run())
    try:
        await asyncio.to_thread(put, database, range(50))
        await until(lambda: len(set(heard)) == 50, "it is under way")
        info = await jetstream.stream_info(subjects.STREAM)
        assert info.cluster is not None
        leader = cluster.node(info.cluster.leader)
        putting = asyncio.create_task(asyncio.to_thread(put, database, range(50, 100)))
        leader.kill()
        await putting
        # Only a majority that has chosen another leader confirms these.
        await until(lambda: waiting(database) == 0, "all of it is on the bus")
        await until(lambda: len(set(heard)) == 100, "the consumer hears on")
    finally:
        relay.cancel()
        await asyncio.wait([relay])
        await broker.stop()
    assert set(heard) == {f"cam-{number}" for number in range(100)}
    after = await asked(lambda: jetstream.stream_info(subjects.STREAM))
    assert after.state.messages == 100
    assert after.cluster.leader != leader.name
    for name in (subjects.STREAM, ADVISORY_STREAM):
        kept = await asked(lambda name=name: jetstream.stream_info(name))
        assert kept.config.num_replicas == SIZE
    for durable in ("listener", *(lane.durable for lane in RECOGNITION)):
        consumer = await asked(lambda durable=durable: jetstream.consumer_info(subjects.STREAM, durable))
        assert consumer.cluster is not None
        assert len(consumer.cluster.replicas or []) == SIZE - 1


def test_an_address_of_several_servers_is_read_one_by_one() -> None:
    assert BusAddress("nats://a:4222, nats://b:4222,").servers == ["nats://a:4222", "nats://b:4222"]

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable

import nats
import pytest
from prometheus_client import CollectorRegistry

import bus.relay
from bus import subjects
from bus.relay import WAKE, Relay, RelayMetrics, declare
from storage import Database
from storage.events import enqueue, take_outbox
from tests.support.brokers import NatsServer
from tests.support.waiting import until, wait_until


def put(database: Database, numbers: range) -> None:
    with database.write() as session:
        enqueue(
            session,
            [
                (f"m-{n}", subjects.event("honghua", "entrance", "door.opened"), str(n).encode())
                for n in numbers
            ],
        )


def waiting(database: Database) -> int:
    with database.read() as session:
        return len(take_outbox(session, 10_000))


async def on_the_bus(server: NatsServer) -> list[int]:
    """What the stream holds, in its order."""
    client = await nats.connect(server.bus.url, **server.bus.options())
    jetstream = client.jetstream()
    state = (await jetstream.stream_info(subjects.STREAM)).state
    found = [
        int((await jetstream.get_msg(subjects.STREAM, seq)).data) for seq in range(1, state.last_seq + 1)
    ]
    await client.close()
    return found


@pytest.fixture
def metrics() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def make(database: Database, nats_server: NatsServer, metrics: CollectorRegistry) -> Callable[[], Relay]:
    counted = RelayMetrics(metrics)
    return lambda: Relay(database, nats_server.bus, counted)


@pytest.fixture
async def relay(make: Callable[[], Relay]) -> AsyncIterator[Relay]:
    async with running(make()) as relay:
        yield relay


@contextlib.asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[Relay]:
    task = asyncio.create_task(relay.run())
    try:
        await until(lambda: relay.connected or task.done(), "the relay is connected")
        yield relay
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_outbox_moves_to_the_bus_in_its_order(
    database: Database, nats_server: NatsServer, relay: Relay, metrics
) -> None:
    put(database, range(1200))
    relay.wake()
    await until(lambda: waiting(database) == 0, "the outbox is empty")
    assert await on_the_bus(nats_server) == list(range(1200))
    assert metrics.get_sample_value("ringward_bus_relayed_total") == 1200


async def test_message_that_was_there_before_the_relay_is_moved(
    database: Database, nats_server: NatsServer, make: Callable[[], Relay]
) -> None:
    put(database, range(3))
    async with running(make()):
        await until(lambda: waiting(database) == 0, "the outbox is empty")
    assert await on_the_bus(nats_server) == [0, 1, 2]


async def test_relay_that_died_before_clearing_doubles_nothing(
    database: Database, nats_server: NatsServer, make: Callable[[], Relay], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(database, range(20))
    reached = threading.Event()

    def die(*_: object) -> None:
        reached.set()
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(Relay, "_clear", die)
        async with running(make()):
            await until(reached.is_set, "everything is published and nothing cleared")
    assert waiting(database) == 20
    async with running(make()):
        await until(lambda: waiting(database) == 0, "the outbox is empty")
    assert await on_the_bus(nats_server) == list(range(20))


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_broker_that_goes_and_comes_back_loses_and_doubles_nothing(
    database: Database, nats_server: NatsServer, relay: Relay, how: str
) -> None:
    put(database, range(3000))
    relay.wake()
    await until(lambda: waiting(database) < 3000, "the relay is at work")
    await asyncio.to_thread(getattr(nats_server, how))
    put(database, range(3000, 3050))
    relay.wake()
    assert waiting(database) >= 50
    await asyncio.to_thread(nats_server.start)
    await until(lambda: waiting(database) == 0, "the outbox is empty", 60)
    assert sorted(await on_the_bus(nats_server)) == list(range(3050))


async def test_failure_of_the_database_is_tried_again(
    database: Database, nats_server: NatsServer, relay: Relay, metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus.relay, "RETRY_S", 0.05)
    with monkeypatch.context() as patch:
        patch.setattr(Relay, "_take", lambda _self: 1 / 0)
        await until(
            lambda: metrics.get_sample_value("ringward_bus_relay_failures_total") >= 2, "it has failed twice"
        )
    put(database, range(2))
    await until(lambda: waiting(database) == 0, "the outbox is empty")


@pytest.fixture
def never_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus.relay, "POLL_S", 3600)


@pytest.mark.usefixtures("never_polls")
async def test_any_thread_may_wake_the_relay(database: Database, make: Callable[[], Relay]) -> None:
    put(database, range(1))
    async with running(make()) as relay:
        await until(lambda: waiting(database) == 0, "the first round")

        def elsewhere() -> None:
            put(database, range(1, 2))
            # The relay may just be looking: it must notice all the same.
            relay.wake()
            wait_until(lambda: waiting(database) == 0, "woken without a poll")

        await asyncio.to_thread(elsewhere)


@pytest.mark.usefixtures("never_polls")
async def test_another_process_may_wake_the_relay(
    database: Database, nats_server: NatsServer, make: Callable[[], Relay]
) -> None:
    put(database, range(1))
    async with running(make()):
        await until(lambda: waiting(database) == 0, "the first round")
        client = await nats.connect(nats_server.bus.url, **nats_server.bus.options())
        put(database, range(1, 2))
        await client.publish(WAKE)
        await until(lambda: waiting(database) == 0, "woken without a poll")
        await client.close()


def test_wake_before_the_start_does_no_harm(make: Callable[[], Relay]) -> None:
    relay = make()
    relay.wake()
    assert not relay.connected


@pytest.fixture
async def jetstream(nats_server: NatsServer) -> AsyncIterator[nats.js.JetStreamContext]:
    client = await nats.connect(nats_server.bus.url, **nats_server.bus.options())
    yield client.jetstream()
    await client.close()


async def test_stream_takes_every_subject_before_the_first_worker_starts(jetstream) -> None:
    await declare(jetstream)
    for subject in (
        "event.c.entrance.door.opened",
        "sighting.c.face.unknown",
        "incident.c.changed",
        "device.c.changed",
    ):
        assert (await jetstream.publish(subject, b"")).stream == subjects.STREAM


async def test_declaring_again_keeps_what_is_there(jetstream) -> None:
    await declare(jetstream)
    await jetstream.publish("event.c.entrance.door.opened", b"kept")
    await declare(jetstream)
    found = await jetstream.stream_info(subjects.STREAM)
    assert (found.state.messages, sorted(found.config.subjects)) == (1, sorted(subjects.STREAM_SUBJECTS))


async def test_stream_of_an_older_version_is_adapted(jetstream) -> None:
    await jetstream.add_stream(name=subjects.STREAM, subjects=["event.>"])
    await jetstream.publish("event.c.entrance.door.opened", b"kept")
    await declare(jetstream)
    found = await jetstream.stream_info(subjects.STREAM)
    assert (found.state.messages, sorted(found.config.subjects)) == (1, sorted(subjects.STREAM_SUBJECTS))
    assert found.config.duplicate_window == 600

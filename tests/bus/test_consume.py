import asyncio
import time
from collections.abc import AsyncIterator

import nats
import pytest

import bus.broker
from bus import subjects
from bus.broker import Advisory, build, consume, consume_given_up, stored_message
from bus.messages import DeviceChanged, Message, encode
from bus.relay import declare
from storage import new_id, tracing
from tests.support.brokers import NatsServer
from tests.support.clock import NOON
from tests.support.spans import kept
from tests.support.waiting import until

CHANGED = DeviceChanged("cam-1", "honghua", online=True, at=NOON)


@pytest.fixture
async def jetstream(nats_server: NatsServer) -> AsyncIterator[nats.js.JetStreamContext]:
    client = await nats.connect(nats_server.bus.url, **nats_server.bus.options())
    yield client.jetstream()
    await client.close()


@pytest.fixture
async def broker(nats_server: NatsServer, jetstream) -> AsyncIterator:
    await declare(jetstream)
    broker = build(nats_server.bus)
    yield broker
    await broker.stop()


async def test_message_reaches_the_handler_and_is_settled(broker, jetstream) -> None:
    heard: list[Message] = []

    async def handle(message: Message) -> None:
        heard.append(message)

    consume(broker, "listener", ["device.>"], handle)
    await broker.start()
    await jetstream.publish(subjects.device("honghua"), encode(CHANGED))
    await jetstream.publish(subjects.event("honghua", "entrance", "door.opened"), b"none of its business")
    await until(lambda: heard == [CHANGED], "the message is handled")
    await settled(jetstream, "listener")


async def test_failing_handler_is_asked_again_after_a_pause(
    broker, jetstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus.broker, "BACKOFF_S", (0.4, 5.0))
    calls: list[float] = []

    async def handle(_message: Message) -> None:
        calls.append(time.monotonic())
        if len(calls) == 1:
            raise RuntimeError

    consume(broker, "stumbler", ["device.>"], handle)
    await broker.start()
    await jetstream.publish(subjects.device("honghua"), encode(CHANGED))
    await until(lambda: len(calls) == 2, "the second attempt")
    assert calls[1] - calls[0] >= 0.4
    await settled(jetstream, "stumbler")
    assert len(calls) == 2


@pytest.mark.parametrize("payload", [encode(CHANGED), b"nothing we could read"])
async def test_what_is_given_up_is_handed_over(
    broker, jetstream, monkeypatch: pytest.MonkeyPatch, payload: bytes
) -> None:
    monkeypatch.setattr(bus.broker, "BACKOFF_S", (0.05, 0.05))
    monkeypatch.setattr(bus.broker, "MAX_DELIVER", 3)
    attempts: list[Message] = []
    given_up: list[Advisory] = []

    async def fail(message: Message) -> None:
        attempts.append(message)
        raise RuntimeError

    async def keep(advisory: Advisory) -> None:
        given_up.append(advisory)
        if len(given_up) == 1:
            # The keeper may stumble as well; nothing is forgotten for that.
            raise RuntimeError

    consume(broker, "hopeless", ["device.>"], fail)
    consume_given_up(broker, keep)
    await broker.start()
    await jetstream.publish(subjects.device("honghua"), b"nothing anybody could read")
    await jetstream.publish(subjects.device("honghua"), payload)
    expected = {1, 2}
    await until(lambda: {advisory.stream_seq for advisory in given_up} == expected, "both are handed over")
    advisory = next(found for found in given_up if found.stream_seq == 2)
    assert (advisory.stream, advisory.consumer, advisory.deliveries) == (subjects.STREAM, "hopeless", 3)
    assert await stored_message(broker, 2) == (subjects.device("honghua"), payload)
    assert len(attempts) == (3 if payload == encode(CHANGED) else 0)
    await until(lambda: len(given_up) == 3, "the advisory that the keeper dropped comes again")


async def test_message_that_is_gone_is_none(broker, jetstream) -> None:
    await broker.start()
    assert await stored_message(broker, 4711) is None


async def test_two_processes_share_the_work(nats_server: NatsServer, broker, jetstream) -> None:
    heard: dict[str, list[str]] = {"one": [], "two": []}

    def handler(name: str):
        async def handle(message: Message) -> None:
            heard[name].append(message.device_id)
            await asyncio.sleep(0)

        return handle

    other = build(nats_server.bus)
    consume(broker, "shared", ["device.>"], handler("one"))
    consume(other, "shared", ["device.>"], handler("two"))
    await broker.start()
    await other.start()
    try:
        names = [f"cam-{number}" for number in range(40)]
        for name in names:
            await jetstream.publish(
                subjects.device("honghua"), encode(DeviceChanged(name, "honghua", online=True, at=NOON))
            )
        await until(lambda: len(heard["one"]) + len(heard["two"]) >= 40, "all are handled")
        await settled(jetstream, "shared")
        assert sorted(heard["one"] + heard["two"]) == sorted(names)
        assert heard["one"]
        assert heard["two"]
    finally:
        await other.stop()


async def settled(jetstream, durable: str) -> None:
    """Waits until the consumer has nothing pending and nothing unacknowledged."""
    async with asyncio.timeout(20):
        while True:
            info = await jetstream.consumer_info(subjects.STREAM, durable)
            if info.num_pending == 0 and info.num_ack_pending == 0:
                return
            await asyncio.sleep(0.02)


async def test_work_on_a_message_is_part_of_its_trace(broker, jetstream) -> None:
    with kept() as told:
        place = tracing.root_of(new_id())
        seen: list[str | None] = []

        async def handle(_message: Message) -> None:
            seen.append(await asyncio.to_thread(tracing.current))

        consume(broker, "listener", ["device.>"], handle)
        await broker.start()
        await jetstream.publish(subjects.device("honghua"), encode(CHANGED), headers={tracing.HEADER: place})
        await until(lambda: seen, "the message is handled")
        await settled(jetstream, "listener")
    span = told.one("listener")
    assert (str(span.parent), seen, span.ended) == (place, [str(span.place)], True)

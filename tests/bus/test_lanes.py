"""Lanes on a real server: whose picture is next, who hears of slow work, and what an upgrade does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import nats
import pytest
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig

from bus import lanes, subjects
from bus.broker import Advisory, build, consume_given_up
from bus.lanes import GATES, RECOGNITION, Delivery, LaneConsumer
from bus.messages import EventStored, encode
from bus.relay import declare
from storage import new_id, tracing
from tests.support.brokers import NatsServer
from tests.support.clock import NOON
from tests.support.spans import kept
from tests.support.waiting import until

COMPOUND = "honghua"
Handler = Callable[[Delivery], Awaitable[None]]
Start = Callable[[Handler], Awaitable[LaneConsumer]]


@pytest.fixture
async def jetstream(nats_server: NatsServer) -> AsyncIterator[nats.js.JetStreamContext]:
    client = await nats.connect(nats_server.bus.url, **nats_server.bus.options())
    yield client.jetstream()
    await client.close()


@pytest.fixture
async def start(nats_server: NatsServer, jetstream) -> AsyncIterator[Start]:
    await declare(jetstream)
    running = []

    async def make(handler: Handler) -> LaneConsumer:
        consumer = LaneConsumer(nats_server.bus, RECOGNITION, handler)
        running.append(consumer)
        await consumer.start()
        return consumer

    yield make
    for consumer in running:
        await consumer.stop()


def picture(name: str, ring: str, event_type: str = "face.captured") -> EventStored:
    return EventStored(
        id=name,
        compound=COMPOUND,
        device_id="cam-1",
        type=event_type,
        ring=ring,
        zone="gate",
        device_time=NOON,
        at=NOON,
        received_at=NOON,
    )


async def tell(
    jetstream, name: str, ring: str, event_type: str = "face.captured", *, old: bool = False
) -> None:
    subject = f"event.{COMPOUND}.{event_type}" if old else subjects.event(COMPOUND, ring, event_type)
    await jetstream.publish(subject, encode(picture(name, ring, event_type)))


async def settled(jetstream) -> None:
    """Waits until no lane has anything left, in hand or before it."""
    async with asyncio.timeout(20):
        for lane in RECOGNITION:
            while True:
                info = await jetstream.consumer_info(subjects.STREAM, lane.durable)
                if info.num_pending == 0 and info.num_ack_pending == 0:
                    break
                await asyncio.sleep(0.02)


async def test_gates_and_doors_go_before_common_areas(start, jetstream) -> None:
    for number in range(4):
        await tell(jetstream, f"common-{number}", "common")
    order: list[str] = []
    gates_told = asyncio.Event()
    consumer: LaneConsumer | None = None

    async def handle(delivery: Delivery) -> None:
        order.append(delivery.message.id)
        await gates_told.wait()
        # Looking at a picture takes longer than the next one takes to come.
        left = 4 - sum(not name.startswith("common") for name in order)
        common_left = 4 - sum(name.startswith("common") for name in order)
        expected = 1 + bool(left) + bool(common_left)
        await until(lambda: consumer is None or len(consumer._in_hand) == expected, "the next are in hand")

    consumer = await start(handle)
    await until(lambda: order == ["common-0"], "the first picture is looked at")
    for name, ring in (
        ("gate-0", "entrance"),
        ("door-0", "building"),
        ("gate-1", "entrance"),
        ("door-1", "building"),
    ):
        await tell(jetstream, name, ring)
    gates_told.set()
    await settled(jetstream)
    assert order == ["common-0", "gate-0", "door-0", "gate-1", "door-1", "common-1", "common-2", "common-3"]


async def test_faces_and_plates_of_all_rings_come_and_nothing_else(start, jetstream) -> None:
    heard: list[tuple[str, str, int]] = []

    async def handle(delivery: Delivery) -> None:
        heard.append((delivery.message.id, delivery.lane, delivery.attempt))

    for number, (ring, event_type) in enumerate(
        [
            ("entrance", "face.captured"),
            ("building", "face.identified"),
            ("common", "face.unknown"),
            ("entrance", "plate.recognised"),
            ("common", "plate.none"),
            ("entrance", "door.opened"),
            ("common", "sensor.intrusion"),
        ]
    ):
        await tell(jetstream, str(number), ring, event_type)
    await start(handle)
    await settled(jetstream)
    assert sorted(heard) == [
        ("0", "recognition-gates", 1),
        ("1", "recognition-gates", 1),
        ("2", "recognition", 1),
        ("3", "recognition-gates", 1),
        ("4", "recognition", 1),
    ]


async def test_worker_that_starts_before_the_relay_makes_the_stream(
    nats_server: NatsServer, jetstream
) -> None:
    heard: list[str] = []

    async def handle(delivery: Delivery) -> None:
        heard.append(delivery.message.id)

    consumer = LaneConsumer(nats_server.bus, RECOGNITION, handle)
    await consumer.start()
    await declare(jetstream)
    await tell(jetstream, "first", "entrance")
    await until(lambda: heard == ["first"], "it is heard")
    await consumer.stop()


async def test_lane_of_an_older_version_goes_on_with_both_forms(nats_server: NatsServer, jetstream) -> None:
    """An older worker has looked at one picture; the next were told before and after the upgrade."""
    await declare(jetstream)
    await jetstream.delete_consumer(subjects.STREAM, "recognition")
    await jetstream.delete_consumer(subjects.STREAM, "recognition-gates")
    old = await jetstream.pull_subscribe(
        "",
        durable="recognition",
        stream=subjects.STREAM,
        config=ConsumerConfig(
            filter_subjects=["event.*.face.captured", "event.*.plate.>"], ack_wait=60, max_deliver=5
        ),
    )
    for name in ("seen", "waiting-1", "waiting-2"):
        await tell(jetstream, name, "entrance", old=True)
    (first,) = await old.fetch(1)
    await first.ack_sync()
    # The core is new first, and older workers still ask for work.
    asking = asyncio.create_task(old.fetch(3, timeout=20))
    await until(asking.done, "the old worker has taken two", 20)
    taken = asking.result()
    await declare(jetstream)
    for name, ring in (("gate", "entrance"), ("court", "common"), ("door", "building")):
        await tell(jetstream, name, ring)
    for message in taken:
        await message.ack_sync()
    heard: list[tuple[str, str]] = []

    async def handle(delivery: Delivery) -> None:
        heard.append((delivery.message.id, delivery.lane))

    consumer = LaneConsumer(nats_server.bus, RECOGNITION, handle)
    await consumer.start()
    await tell(jetstream, "old-relay", "entrance", old=True)
    await settled(jetstream)
    await consumer.stop()
    assert sorted(heard) == [
        ("court", "recognition"),
        ("door", "recognition-gates"),
        ("gate", "recognition-gates"),
        ("old-relay", "recognition"),
    ]


async def test_slow_work_is_not_taken_for_a_dead_worker(
    start, jetstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "ACK_WAIT_S", 0.5)
    monkeypatch.setattr(lanes, "_IN_HAND_S", 0.1)
    said: list[Msg] = []
    plain = Msg.in_progress

    async def counted(message: Msg) -> None:
        said.append(message)
        await plain(message)

    monkeypatch.setattr(Msg, "in_progress", counted)
    attempts: list[tuple[str, int]] = []

    async def handle(delivery: Delivery) -> None:
        attempts.append((delivery.message.id, delivery.attempt))
        if delivery.message.id == "slow":
            # Three times as long as the server waits; the other one waits in hand as long.
            await until(lambda: len(said) >= 30, "the server has been told for a while")

    await tell(jetstream, "slow", "entrance")
    await start(handle)
    await until(lambda: attempts == [("slow", 1)], "the slow one is looked at")
    await tell(jetstream, "waits", "entrance")
    await tell(jetstream, "waits-too", "common")
    await settled(jetstream)
    assert attempts == [("slow", 1), ("waits", 1), ("waits-too", 1)]


async def test_picture_of_a_worker_without_a_word_comes_again(
    start, jetstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "ACK_WAIT_S", 0.5)
    await lanes.declare(jetstream)
    await tell(jetstream, "left", "entrance")
    taken = await (await jetstream.pull_subscribe_bind(GATES.durable, subjects.STREAM)).fetch(1)
    assert [message.metadata.num_delivered for message in taken] == [1]
    attempts: list[int] = []

    async def handle(delivery: Delivery) -> None:
        attempts.append(delivery.attempt)

    await start(handle)
    await settled(jetstream)
    assert attempts == [2]


async def test_what_waits_in_hand_is_given_back_at_a_stop(start, jetstream) -> None:
    at_work, goes_on = asyncio.Event(), asyncio.Event()
    first: list[str] = []
    second: list[tuple[str, int]] = []

    async def slow(delivery: Delivery) -> None:
        first.append(delivery.message.id)
        at_work.set()
        await goes_on.wait()

    async def quick(delivery: Delivery) -> None:
        second.append((delivery.message.id, delivery.attempt))

    stopped = await start(slow)
    await tell(jetstream, "at-work", "entrance")
    await at_work.wait()
    await tell(jetstream, "in-hand", "common")
    await until(lambda: len(stopped._in_hand) == 2, "the second is in hand")
    stopping = asyncio.create_task(stopped.stop())
    goes_on.set()
    await stopping
    # The server waits ten seconds for the word of a worker; this is there at once.
    async with asyncio.timeout(5):
        await start(quick)
        await settled(jetstream)
    assert (first, second) == (["at-work"], [("in-hand", 2)])


async def test_failure_is_tried_again_and_then_handed_over(
    nats_server: NatsServer, start, jetstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "BACKOFF_S", (0.05, 0.05))
    monkeypatch.setattr(lanes, "MAX_DELIVER", 3)
    given_up: list[Advisory] = []
    attempts: list[int] = []

    async def fail(delivery: Delivery) -> None:
        attempts.append(delivery.attempt)
        raise RuntimeError

    async def keep(advisory: Advisory) -> None:
        given_up.append(advisory)

    broker = build(nats_server.bus)
    consume_given_up(broker, keep)
    await broker.start()
    await start(fail)
    await tell(jetstream, "bad", "entrance")
    await jetstream.publish(subjects.event(COMPOUND, "common", "face.captured"), b"nothing we could read")
    await until(lambda: len(given_up) == 2, "both are handed over")
    await broker.stop()
    assert attempts == [1, 2, 3]
    assert {(advisory.consumer, advisory.deliveries) for advisory in given_up} == {
        ("recognition-gates", 3),
        ("recognition", 3),
    }


async def test_server_that_comes_back_finds_the_lanes_asking(
    nats_server: NatsServer, start, jetstream
) -> None:
    heard: list[str] = []

    async def handle(delivery: Delivery) -> None:
        heard.append(delivery.message.id)

    consumer = await start(handle)
    await tell(jetstream, "before", "entrance")
    await until(lambda: heard == ["before"], "the first is heard")
    nats_server.kill()
    await until(lambda: not consumer.running, "the worker has noticed")
    nats_server.start()
    async with asyncio.timeout(20):
        while "after" not in heard:
            with contextlib.suppress(Exception):
                await tell(jetstream, "after", "common")
            await asyncio.sleep(0.1)
    await until(lambda: consumer.running, "the worker is at work again")


async def test_work_on_a_picture_is_part_of_its_events_trace(start, jetstream) -> None:
    event = new_id()
    with kept() as told:
        place = tracing.root_of(event)
        subject = subjects.event(COMPOUND, "entrance", "face.captured")
        message = encode(picture(event, "entrance"))
        await jetstream.publish(subject, message, headers={tracing.HEADER: place})
        await jetstream.publish(subject, encode(picture("untraced", "entrance")))
        seen: dict[str, str | None] = {}

        async def handle(delivery: Delivery) -> None:
            # Where the work is done, which is another thread.
            seen[delivery.message.id] = await asyncio.to_thread(tracing.of_event, event)
            seen[f"{delivery.message.id} itself"] = tracing.current()

        await start(handle)
        await until(lambda: len(seen) == 4, "both are looked at")
        await settled(jetstream)
    span = told.one("recognition")
    assert str(span.parent) == place
    assert seen[event] == seen[f"{event} itself"] == str(span.place)
    # Of another event's work it is not part: what is told of it then hangs on its root.
    assert seen["untraced"] == place
    assert seen["untraced itself"] is None

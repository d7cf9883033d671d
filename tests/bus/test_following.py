"""Following the stream: in order, from where the reader stands, whatever happens to the server."""

import asyncio
from collections.abc import AsyncIterator

import nats
import pytest
from nats.errors import Error as NatsError
from nats.js.api import ConsumerConfig

from bus import subjects
from bus.following import BrokenError, Entry, Follower, Stretch, forget, identity, position_of
from bus.relay import declare
from tests.support.brokers import NatsServer
from tests.support.waiting import until

MINE = ["event.honghua.>", "sighting.honghua.>"]


@pytest.fixture
async def client(nats_server: NatsServer) -> AsyncIterator[nats.NATS]:
    client = await nats.connect(nats_server.bus.url, **nats_server.bus.options())
    await declare(client.jetstream())
    yield client
    await client.close()


async def tell(client: nats.NATS, *numbers: int, compound: str = "honghua") -> None:
    for number in numbers:
        subject = subjects.event(compound, "entrance", "door.opened")
        await client.jetstream().publish(subject, str(number).encode())


async def read(follower: Follower, count: int) -> list[Entry]:
    found: list[Entry] = []
    while len(found) < count:
        found += (await follower.next()).entries
    return found


async def test_everything_behind_a_position_comes_in_order_and_nothing_of_others(client) -> None:
    await tell(client, 1, 2)
    await tell(client, 99, compound="sifang")
    await tell(client, 3)
    follower = Follower(client, MINE, 1)
    await follower.start()
    found = await read(follower, 2)
    assert [(entry.position, entry.payload) for entry in found] == [(2, b"2"), (4, b"3")]
    await follower.stop()


async def test_more_than_one_request_fetches_comes_whole(client) -> None:
    await tell(client, *range(25))
    follower = Follower(client, MINE, 0, most=4)
    await follower.start()
    assert [int(entry.payload) for entry in await read(follower, 25)] == list(range(25))
    await follower.stop()


async def test_a_reader_knows_when_nothing_waits_behind_what_it_has(client) -> None:
    await tell(client, 1, 2, 3)
    follower = Follower(client, MINE, 0, most=2)
    await follower.start()
    ends = []
    count = 0
    while count < 3:
        stretch = await follower.next()
        count += len(stretch.entries)
        ends.append((count, stretch.is_end))
    assert ends[-1] == (3, True)
    assert all(not is_end for read_so_far, is_end in ends if read_so_far < 3)
    quiet = await follower.next()
    assert quiet.entries == ()
    assert quiet.is_end
    await follower.stop()


async def test_one_that_does_not_wait_hears_at_once_that_there_is_nothing(client) -> None:
    impatient = Follower(client, MINE, 0, patient=False)
    await impatient.start()
    assert await asyncio.wait_for(impatient.next(), 1) == Stretch((), is_end=True)
    await tell(client, 1)
    # The server has it before its consumers have.
    assert [entry.payload for entry in await read(impatient, 1)] == [b"1"]
    await impatient.stop()


async def test_two_readers_take_nothing_from_each_other(client) -> None:
    await tell(client, 1, 2)
    readers = [Follower(client, MINE, 0) for _ in range(2)]
    for reader in readers:
        await reader.start()
        assert [entry.payload for entry in await read(reader, 2)] == [b"1", b"2"]
    for reader in readers:
        await reader.stop()


async def test_after_the_server_was_killed_a_new_reader_goes_on_from_the_position(
    client, nats_server: NatsServer
) -> None:
    await tell(client, 1)
    follower = Follower(client, MINE, 0)
    await follower.start()
    (first,) = await read(follower, 1)
    before = await identity(client.jetstream())
    nats_server.kill()
    await until(lambda: not client.is_connected, "the client has noticed")
    nats_server.start()
    await until(lambda: client.is_connected, "the client is back")
    await tell(client, 2)
    with pytest.raises((BrokenError, NatsError)):
        await read(follower, 1)
    again = Follower(client, MINE, first.position)
    await again.start()
    assert [entry.payload for entry in await read(again, 1)] == [b"2"]
    assert await identity(client.jetstream()) == before
    await again.stop()


async def test_a_stream_that_was_made_anew_is_another(client) -> None:
    before = await identity(client.jetstream())
    await client.jetstream().delete_stream(subjects.STREAM)
    await declare(client.jetstream())
    assert await identity(client.jetstream()) != before


async def test_the_place_of_a_durable_consumer_is_taken_over(client) -> None:
    jetstream = client.jetstream()
    assert await position_of(jetstream, "alerts") is None
    await jetstream.add_consumer(
        subjects.STREAM, ConsumerConfig(durable_name="alerts", filter_subjects=["event.>", "sighting.>"])
    )
    assert await position_of(jetstream, "alerts") == 0
    await tell(client, 1, 2, 3)
    bound = await jetstream.pull_subscribe_bind("alerts", subjects.STREAM)
    for message in await bound.fetch(2):
        await message.ack_sync()
    assert await position_of(jetstream, "alerts") == 2
    await forget(jetstream, "alerts")
    assert await position_of(jetstream, "alerts") is None

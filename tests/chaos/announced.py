"""What lies on the bus: the ids of all messages of the stream."""

import asyncio
from collections import Counter

import nats
from nats.js.api import ConsumerConfig, DeliverPolicy

from bus import subjects
from bus.address import BusAddress


def ids(address: BusAddress) -> Counter[str]:
    """How often each message's id is there."""
    return asyncio.run(_ids(address))


async def _ids(address: BusAddress) -> Counter[str]:
    client = await nats.connect(address.url, **address.options())
    try:
        jetstream = client.jetstream()
        expected = (await jetstream.stream_info(subjects.STREAM)).state.messages
        config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL, headers_only=True)
        reading = await jetstream.subscribe(
            ">", stream=subjects.STREAM, ordered_consumer=True, config=config, pending_msgs_limit=-1
        )
        counts: Counter[str] = Counter()
        for _ in range(expected):
            message = await reading.next_msg(timeout=30)
            counts[(message.headers or {})["Nats-Msg-Id"]] += 1
        return counts
    finally:
        await client.close()

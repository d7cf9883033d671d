"""Measures of the bus: what streams hold, and what their consumers have before them."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import Final

import nats
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo, StreamInfo
from nats.js.errors import NotFoundError

from bus.address import BusAddress
from bus.broker import ADVISORY_STREAM
from bus.subjects import STREAM
from ringward.measures import definitions as of
from ringward.measures.definitions import Sample

STREAMS: Final = (STREAM, ADVISORY_STREAM)
PATIENCE_S: Final = 10.0
ONCE: Final = {"allow_reconnect": False, "max_reconnect_attempts": 1, "connect_timeout": 5}
"""A bus that is away is not waited for: the next round asks again."""


class BusMeasures:
    """Asks the bus on a connection of its own, which is made again where it is gone."""

    def __init__(self, address: BusAddress) -> None:
        self._address = address
        self._client: Client | None = None

    async def take(self, now: dt.datetime) -> list[Sample]:
        """Raises nats-py's errors, `OSError` and `TimeoutError` where the bus does not answer."""
        if self._client is None or not self._client.is_connected:
            await self.close()
            options = self._address.options() | ONCE
            async with asyncio.timeout(PATIENCE_S):
                self._client = await nats.connect(self._address.servers, **options)
        jetstream = self._client.jetstream(timeout=PATIENCE_S)
        return [sample async for sample in _all(jetstream, now)]

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()


async def _all(jetstream: JetStreamContext, now: dt.datetime) -> AsyncIterator[Sample]:
    for name in STREAMS:
        try:
            stream = await jetstream.stream_info(name)
        except NotFoundError:
            continue
        for sample in _stream(name, stream):
            yield sample
        for consumer in await jetstream.consumers_info(name):
            # Consumers without a durable name are one process's own and gone with it.
            if consumer.config.durable_name is not None:
                for sample in _consumer(consumer):
                    yield sample
                labels = {"consumer": consumer.name}
                yield Sample(of.CONSUMER_AGE, await _age(jetstream, consumer, now), labels)


def _stream(name: str, stream: StreamInfo) -> list[Sample]:
    labels = {"stream": name}
    cluster = stream.cluster
    # A server alone says nothing of a cluster.
    current = 1
    if cluster is not None and cluster.replicas:
        current = (1 if cluster.leader else 0) + sum(1 for peer in cluster.replicas if peer.current)
    return [
        Sample(of.STREAM_MESSAGES, stream.state.messages, labels),
        Sample(of.STREAM_BYTES, stream.state.bytes, labels),
        Sample(of.STREAM_REPLICAS, stream.config.num_replicas or 1, labels),
        Sample(of.STREAM_CURRENT, current, labels),
    ]


def _consumer(consumer: ConsumerInfo) -> list[Sample]:
    labels = {"consumer": consumer.name}
    return [
        Sample(of.CONSUMER_PENDING, consumer.num_pending or 0, labels),
        Sample(of.CONSUMER_IN_HAND, consumer.num_ack_pending or 0, labels),
        Sample(of.CONSUMER_AGAIN, consumer.num_redelivered or 0, labels),
    ]


async def _age(jetstream: JetStreamContext, consumer: ConsumerInfo, now: dt.datetime) -> float:
    """Of the oldest message that is not settled: the first one of its subjects after its floor."""
    if not consumer.num_pending and not consumer.num_ack_pending:
        return 0.0
    floor = consumer.ack_floor.stream_seq if consumer.ack_floor else 0
    filters = consumer.config.filter_subjects or [consumer.config.filter_subject or ">"]
    ages = []
    for subject in filters:
        try:
            found = await jetstream.get_msg(consumer.stream_name, seq=floor + 1, subject=subject, next=True)
        except NotFoundError:
            continue
        if found.time is not None:
            ages.append((now - found.time).total_seconds())
    return max([0.0, *ages])

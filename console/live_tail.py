"""Reading JetStream in order: the messages of a stream from a sequence number on, without a gap.

An ephemeral push consumer without acknowledgements, checked here: its own sequence must
be contiguous and its heartbeats must come. Whoever follows starts again where a tail broke.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from bus.messages import Message, decode
from bus.subjects import STREAM

HEARTBEAT_S: Final = 2.0
# Two heartbeats and a half missed: the server, the consumer or the way to it is gone.
SILENCE_S: Final = 5.0
KINDS: Final = ("incident", "dispatch", "sighting", "device", "event")


class TailBrokenError(Exception):
    """A message or the heartbeats are missing: start again after the last good sequence."""


@dataclass(frozen=True, slots=True)
class Change:
    """A message of the bus at its place in the stream; `pending` is how many come after it."""

    seq: int
    pending: int
    message: Message


def subjects_of(compound: str) -> list[str]:
    """What the console follows of a compound."""
    return [f"{kind}.{compound}.>" for kind in KINDS]


async def bounds(client: Client) -> tuple[int, int]:
    """The first and the last sequence number the stream holds; raises what nats-py raises."""
    state = (await client.jetstream().stream_info(STREAM)).state
    return state.first_seq, state.last_seq


async def follow(client: Client, compound: str, start: int) -> AsyncGenerator[Change | None, None]:
    """Changes from sequence `start` on, as they come; None for a heartbeat.

    Raises `TailBrokenError`. Closing the iterator removes the consumer.
    """
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox)
    jetstream = client.jetstream()
    consumer = ""
    try:
        info = await jetstream.add_consumer(
            STREAM,
            ConsumerConfig(
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=start,
                ack_policy=AckPolicy.NONE,
                filter_subjects=subjects_of(compound),
                deliver_subject=inbox,
                idle_heartbeat=HEARTBEAT_S,
                inactive_threshold=30.0,
                mem_storage=True,
                num_replicas=1,
            ),
        )
        consumer = info.name
        delivered = 0
        while True:
            try:
                received = await subscription.next_msg(timeout=SILENCE_S)
            except (TimeoutError, NatsError) as error:
                raise TailBrokenError from error
            headers: dict[str, Any] = received.headers or {}
            if status := headers.get("Status"):
                # The heartbeat says how far the server believes to have delivered; any other
                # status means that it has stopped.
                if status != "100" or int(headers.get("Nats-Last-Consumer", delivered)) != delivered:
                    raise TailBrokenError
                yield None
                continue
            place = received.metadata
            delivered += 1
            if place.sequence.consumer != delivered:
                raise TailBrokenError
            try:
                message = decode(received.data)
            except msgspec.MsgspecError:
                continue  # A newer version's message: not ours to show.
            yield Change(place.sequence.stream, place.num_pending or 0, message)
    finally:
        if client.is_connected:
            await subscription.unsubscribe()
            if consumer:
                await jetstream.delete_consumer(STREAM, consumer)

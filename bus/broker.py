"""How rooms reach JetStream through FastStream: one stream, durable consumers, bounded retries."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from faststream.security import BaseSecurity, SASLPlaintext
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DiscardPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from bus import subjects
from bus.address import BusAddress, on_error
from bus.messages import Message, decode
from storage import tracing

log = structlog.get_logger(__name__)

# Retries of a failing message, in seconds after each attempt. NACK without them is a hot loop.
BACKOFF_S = (1.0, 5.0, 15.0, 60.0)
MAX_DELIVER = len(BACKOFF_S) + 1
DAY_S = 24 * 3600.0

# What a worker gave up is announced once and not stored by the server: this stream keeps it.
ADVISORY_STREAM = "ringward-advisories"
GAVE_UP = f"$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.{subjects.STREAM}.>"


def stream(replicas: int = 1) -> JStream:
    """The stream that carries all work. Seven days: longer than any worker stays away."""
    return JStream(
        subjects.STREAM,
        subjects=list(subjects.STREAM_SUBJECTS),
        storage=StorageType.FILE,
        discard=DiscardPolicy.OLD,
        max_age=7 * DAY_S,
        num_replicas=replicas,
        # A relay that died between publish and delete repeats itself within this time.
        duplicate_window=600,
    )


async def declare_stream(jetstream: JetStreamContext, replicas: int = 1) -> None:
    """Makes the stream where it is missing, and adapts it where it is of an older version."""
    # FastStream keeps a stream's subjects apart from its configuration.
    wanted: StreamConfig = stream(replicas).config.evolve(subjects=list(subjects.STREAM_SUBJECTS))
    try:
        await jetstream.update_stream(wanted)
    except Exception:  # noqa: BLE001 - nats-py has a class for each server code; any means "not there yet"
        await jetstream.add_stream(wanted)


def advisory_stream(replicas: int = 1) -> JStream:
    """Keeps the server's word that a message was given up."""
    return JStream(
        ADVISORY_STREAM,
        subjects=[GAVE_UP],
        storage=StorageType.FILE,
        max_age=7 * DAY_S,
        num_replicas=replicas,
    )


def build(address: BusAddress, **options: Any) -> NatsBroker:
    """A FastStream broker whose handlers receive the message itself, to settle it."""

    async def whole(message: NatsMessage) -> NatsMessage:
        return message

    # Types are checked by msgspec when the message is decoded; once is enough.
    context = address.tls.context() if address.tls is not None else None
    security = BaseSecurity(context) if context is not None else None
    if address.user is not None:
        security = SASLPlaintext(address.user, address.password or "", context)
    return NatsBroker(
        address.servers,
        apply_types=False,
        decoder=whole,
        logger=None,
        security=security,
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        error_cb=on_error,
        **options,
    )


def consume(
    broker: NatsBroker,
    durable: str,
    subject_filters: list[str],
    handler: Callable[[Message], Awaitable[None]],
    *,
    ack_wait_s: float = 60.0,
    replicas: int = 1,
) -> None:
    """Registers `handler` as a durable consumer: one message at a time, at least once.

    Several processes with the same `durable` share the work. A message whose handler
    raises comes again after a pause, and after `MAX_DELIVER` attempts becomes a dead letter.
    `replicas` is the stream's, where it has to be made first; its consumers have as many.
    """

    async def settle(message: NatsMessage) -> None:
        try:
            with tracing.span(
                durable,
                message.headers.get(tracing.HEADER),
                kind="consumer",
                attempt=message.raw_message.metadata.num_delivered,
            ):
                await handler(decode(message.body))
        except Exception:
            # The server's own back-off covers silence only; a refusal without a delay is
            # delivered again at once, five times in as many milliseconds.
            attempt = message.raw_message.metadata.num_delivered
            log.exception("bus.handler_failed", consumer=durable, attempt=attempt)
            await message.nack(delay=BACKOFF_S[min(attempt, len(BACKOFF_S)) - 1])
        else:
            await message.ack()

    _subscribe(broker, stream(replicas), durable, subject_filters, settle, ack_wait_s=ack_wait_s)


def consume_given_up(
    broker: NatsBroker, handler: Callable[["Advisory"], Awaitable[None]], *, replicas: int = 1
) -> None:
    """Registers `handler` for messages that a consumer gave up after its last attempt."""

    async def settle(message: NatsMessage) -> None:
        try:
            await handler(msgspec.json.decode(message.body, type=Advisory))
        except Exception:
            log.exception("bus.advisory_failed")
            await message.nack(delay=BACKOFF_S[-1])
        else:
            await message.ack()

    _subscribe(broker, advisory_stream(replicas), "deadletters", [GAVE_UP], settle)


def _subscribe(
    broker: NatsBroker,
    source: JStream,
    durable: str,
    subject_filters: list[str],
    settle: Callable[[NatsMessage], Awaitable[None]],
    *,
    ack_wait_s: float = 60.0,
) -> None:
    config = ConsumerConfig(
        durable_name=durable,
        filter_subjects=subject_filters,
        ack_wait=ack_wait_s,
        max_deliver=MAX_DELIVER,
    )
    subscriber = broker.subscriber(
        subject_filters[0] if len(subject_filters) == 1 else "",
        stream=source,
        durable=durable,
        config=config,
        pull_sub=PullSub(batch_size=1, timeout=5.0),
        ack_policy=AckPolicy.MANUAL,
    )
    subscriber(settle)


class Advisory(msgspec.Struct):
    """The part of the server's max-deliveries advisory that we need."""

    stream: str
    consumer: str
    stream_seq: int
    deliveries: int


async def stored_message(broker: NatsBroker, sequence: int) -> tuple[str, bytes] | None:
    """(subject, payload) at a position of the stream, or None when it is gone."""
    client = await broker.connect()
    try:
        message = await client.jetstream().get_msg(subjects.STREAM, seq=sequence)
    except NotFoundError:
        return None
    return message.subject or "", message.data or b""

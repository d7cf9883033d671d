"""Slow work in lanes: a message of the first lane that waits goes before any of the second.

One message is worked on at a time, and one of each lane waits in hand, so that the next is
there when the work on the last is done. The server hears every few seconds that they are in
hand: a worker that dies is noticed after `ACK_WAIT_S`, and one that is slow is not taken for dead.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import nats
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig
from nats.js.errors import NotFoundError

from bus import subjects
from bus.address import BusAddress
from bus.broker import BACKOFF_S, MAX_DELIVER, declare_stream
from bus.messages import Message, decode
from storage import tracing

log = structlog.get_logger(__name__)

ACK_WAIT_S: Final = 10.0
"""After this long without a word the server gives a message to another worker."""

_IN_HAND_S: Final = 3.0
_FETCH_S: Final = 5.0
_PAUSE_S: Final = 0.5

_PICTURES: Final = ("face.*", "plate.*")


@dataclass(frozen=True, slots=True)
class Lane:
    """A durable consumer that any number of processes share."""

    durable: str
    filters: tuple[str, ...]

    def config(self) -> ConsumerConfig:
        """As the server keeps it."""
        return ConsumerConfig(
            name=self.durable,
            durable_name=self.durable,
            filter_subjects=list(self.filters),
            ack_wait=ACK_WAIT_S,
            max_deliver=MAX_DELIVER,
        )


GATES: Final = Lane(
    "recognition-gates",
    tuple(f"event.*.{ring}.{kind}" for ring in ("entrance", "building") for kind in _PICTURES),
)
"""Where somebody stands before a gate or a door and waits."""

REST: Final = Lane(
    "recognition",
    (*(f"event.*.common.{kind}" for kind in _PICTURES), *(f"event.*.{kind}" for kind in _PICTURES)),
)
"""Common areas, and events that were told when their subjects had no ring."""

RECOGNITION: Final = (GATES, REST)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message in hand. `attempt` counts from 1 and says how often the server gave it to somebody."""

    message: Message
    lane: str
    subject: str
    payload: bytes
    attempt: int
    sequence: int


async def declare(
    jetstream: JetStreamContext, lanes: Sequence[Lane] = RECOGNITION, replicas: int = 1
) -> None:
    """Makes the lanes where they are missing, and gives those of an older version their new filters.

    The server goes on from where a lane stands. What it has passed over for the old filters does
    not come any more, so whoever tells events of a new form declares the lanes before.
    """
    for lane in lanes:
        try:
            await jetstream.add_consumer(subjects.STREAM, lane.config())
        except NotFoundError:
            # Whoever starts first makes the stream.
            await declare_stream(jetstream, replicas)
            await jetstream.add_consumer(subjects.STREAM, lane.config())


class LaneConsumer:
    """Gives messages of the lanes to `handler`, one after the other, the first lane first.

    A message whose handler raises comes again after a pause, and after `MAX_DELIVER` attempts
    becomes a dead letter.
    """

    def __init__(
        self, address: BusAddress, lanes: Sequence[Lane], handler: Callable[[Delivery], Awaitable[None]]
    ) -> None:
        self._address = address
        self._lanes = tuple(lanes)
        self._handler = handler
        self._client = Client()
        self._in_hand: list[Msg] = []
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def running(self) -> bool:
        """Whether messages are taken."""
        return (
            self._client.is_connected and bool(self._tasks) and not any(task.done() for task in self._tasks)
        )

    @property
    def idle(self) -> bool:
        """Whether nothing is worked on and nothing waits in hand."""
        return not self._in_hand

    async def start(self) -> None:
        """Returns when the lanes are there. Raises `OSError`, `TimeoutError` and nats-py's errors."""
        if not self._client.is_connected:
            self._client = await nats.connect(self._address.servers, **self._address.options())
        await declare(self._client.jetstream(), self._lanes, self._address.replicas)
        self._tasks = [
            asyncio.create_task(self._work(), name="lanes"),
            asyncio.create_task(self._say_in_hand(), name="lanes-in-hand"),
        ]

    async def stop(self) -> None:
        """Ends what is worked on, and gives back at once what waits in hand."""
        self._stopping.set()
        if self._tasks:
            work, saying = self._tasks
            await work
            saying.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await saying
        await self._client.close()

    async def say(self, subject: str, payload: bytes = b"") -> None:
        """Tells whoever listens now, and nobody else."""
        await self._client.publish(subject, payload)

    async def _work(self) -> None:
        jetstream = self._client.jetstream()
        waiting = [_Waiting(jetstream, lane, self._in_hand, self._address.replicas) for lane in self._lanes]
        stopping = asyncio.create_task(self._stopping.wait(), name="lanes-stopping")
        try:
            while not self._stopping.is_set():
                ready = next((one for one in waiting if one.task.done()), None)
                if ready is None:
                    tasks = [stopping, *(one.task for one in waiting)]
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                    continue
                await self._settle(ready.lane, ready.take())
        finally:
            stopping.cancel()
            for one in waiting:
                await one.give_back()

    async def _settle(self, lane: Lane, received: Msg) -> None:
        attempt = received.metadata.num_delivered
        try:
            message = decode(received.data)
            sequence = received.metadata.sequence.stream
            place = (received.headers or {}).get(tracing.HEADER)
            with tracing.span("recognition", place, kind="consumer", consumer=lane.durable, attempt=attempt):
                await self._handler(
                    Delivery(message, lane.durable, received.subject, received.data, attempt, sequence)
                )
        except Exception:
            log.exception("bus.handler_failed", consumer=lane.durable, attempt=attempt)
            answer = received.nak(delay=BACKOFF_S[min(attempt, len(BACKOFF_S)) - 1])
        else:
            answer = received.ack()
        self._in_hand.remove(received)
        # Without a connection it comes again, and finds its decision there.
        with contextlib.suppress(NatsError, OSError):
            await answer

    async def _say_in_hand(self) -> None:
        while True:
            await asyncio.sleep(_IN_HAND_S)
            for received in tuple(self._in_hand):
                with contextlib.suppress(NatsError, OSError):
                    await received.in_progress()


class _Waiting:
    """The next message of a lane, on its way or in hand."""

    def __init__(
        self, jetstream: JetStreamContext, lane: Lane, in_hand: list[Msg], replicas: int = 1
    ) -> None:
        self.lane = lane
        self._jetstream = jetstream
        self._subscription: JetStreamContext.PullSubscription | None = None
        self._in_hand = in_hand
        self._replicas = replicas
        self.task = self._again()

    def take(self) -> Msg:
        """The message that is there; the next one is asked for."""
        message = self.task.result()
        self.task = self._again()
        return message

    async def give_back(self) -> None:
        if not self.task.done():
            self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError, NatsError, OSError):
            message = await self.task
            self._in_hand.remove(message)
            await message.nak()

    def _again(self) -> asyncio.Task[Msg]:
        return asyncio.create_task(self._fetch(), name=f"lane-{self.lane.durable}")

    async def _fetch(self) -> Msg:
        loop = asyncio.get_running_loop()
        while True:
            asked = loop.time()
            try:
                if self._subscription is None:
                    self._subscription = await self._jetstream.pull_subscribe_bind(
                        self.lane.durable, subjects.STREAM
                    )
                (message,) = await self._subscription.fetch(1, timeout=_FETCH_S)
            except (NatsError, OSError, TimeoutError) as error:
                if loop.time() - asked < _PAUSE_S:
                    # Not nothing to do, but nobody to ask: a server that is away comes back.
                    log.warning("bus.lane_waits", lane=self.lane.durable, error=type(error).__name__)
                    await asyncio.sleep(_PAUSE_S)
                    with contextlib.suppress(NatsError, OSError, TimeoutError):
                        await declare(self._jetstream, [self.lane], self._replicas)
                continue
            self._in_hand.append(message)
            return message

"""Following the stream in its order, from a position that the reader keeps where its results are.

For readers of which there is one at a time and whose state is built from everything before.
The server keeps no place for them, so there is none that two could share, and none that a
reader that has stopped could hold back: whoever goes on says from where.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from bus import subjects
from storage import tracing

log = structlog.get_logger(__name__)

_EXPIRES_S: Final = 2.0
"""How long the server holds a request that it has nothing for. It answers then, so silence is a fault."""
_FORGOTTEN_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A message at its place of the stream; `trace` is where it comes from (`storage.tracing`)."""

    position: int
    subject: str
    payload: bytes
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """What came next; `is_end` when nothing waits behind it."""

    entries: tuple[Entry, ...]
    is_end: bool


class BrokenError(Exception):
    """Something between the positions may be missing: begin again from the last one that was handled."""


async def identity(jetstream: JetStreamContext) -> str:
    """Which stream this is: one that was made anew counts its positions from one again."""
    info = await jetstream.stream_info(subjects.STREAM)
    return str(info.created)


async def position_of(jetstream: JetStreamContext, durable: str) -> int | None:
    """Up to where a durable consumer has everything settled; None where there is none."""
    try:
        info = await jetstream.consumer_info(subjects.STREAM, durable)
    except NotFoundError:
        return None
    return info.ack_floor.stream_seq if info.ack_floor is not None else 0


async def forget(jetstream: JetStreamContext, durable: str) -> None:
    """Takes away a durable consumer that nobody uses any more."""
    with contextlib.suppress(NotFoundError):
        await jetstream.delete_consumer(subjects.STREAM, durable)


class Follower:
    """Reads some subjects of the stream from behind a position on, each message once and in order.

    One that is not `patient` does not wait for what is not there yet.
    Raises `BrokenError`, and nats-py's errors, when it cannot go on; a new one can.
    """

    def __init__(
        self, client: Client, filters: Sequence[str], after: int, *, most: int = 200, patient: bool = True
    ) -> None:
        self._client = client
        self._filters = list(filters)
        self._after = after
        self._most = most
        self._patient = patient
        self._name = ""
        self._inbox = ""
        self._subscription: Subscription | None = None
        self._asked = 0
        self._told = 0

    async def start(self) -> None:
        """Returns when the server knows it."""
        config = ConsumerConfig(
            filter_subjects=self._filters,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=self._after + 1,
            ack_policy=AckPolicy.NONE,
            max_deliver=1,
            inactive_threshold=_FORGOTTEN_S,
            mem_storage=True,
        )
        info = await self._client.jetstream().add_consumer(subjects.STREAM, config)
        self._name = info.name
        self._inbox = self._client.new_inbox()
        self._subscription = await self._client.subscribe(self._inbox)

    async def stop(self) -> None:
        """The server forgets it; by itself it would after half a minute."""
        with contextlib.suppress(NatsError, OSError, TimeoutError):
            if self._subscription is not None:
                await self._subscription.unsubscribe()
            if self._name:
                await self._client.jetstream().delete_consumer(subjects.STREAM, self._name)

    async def next(self) -> Stretch:
        """What comes next, as much as is there; nothing where nothing came for two seconds."""
        assert self._subscription is not None
        if self._asked == 0:
            await self._ask()
        entries: list[Entry] = []
        is_end = False
        while True:
            try:
                message = await self._subscription.next_msg(_EXPIRES_S + 2)
            except TimeoutError:
                raise BrokenError from None
            status = (message.headers or {}).get("Status")
            if status is not None and not message.data:
                self._settle(status)
                is_end = True
            else:
                is_end = self._take(message, entries)
            if not self._subscription.pending_msgs:
                return Stretch(tuple(entries), is_end)

    def _settle(self, status: str) -> None:
        self._asked = 0
        # 404, 408: nothing there. All else: the server has forgotten it, or lost it.
        if status not in {"404", "408"}:
            raise BrokenError

    def _take(self, message: Msg, entries: list[Entry]) -> bool:
        metadata = message.metadata
        self._told += 1
        if metadata.sequence.consumer != self._told:
            raise BrokenError
        self._asked = max(0, self._asked - 1)
        trace = message.headers.get(tracing.HEADER) if message.headers else None
        entries.append(Entry(metadata.sequence.stream, message.subject, message.data, trace))
        return metadata.num_pending == 0

    async def _ask(self) -> None:
        self._asked = self._most
        wait = {"expires": int(_EXPIRES_S * 1e9)} if self._patient else {"no_wait": True}
        request = {"batch": self._most, **wait}
        await self._client.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{subjects.STREAM}.{self._name}",
            msgspec.json.encode(request),
            reply=self._inbox,
        )

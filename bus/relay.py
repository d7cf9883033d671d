"""The outbox relay: carries committed messages to JetStream and forgets them once confirmed.

At least once by construction: a message leaves the outbox only after the bus has stored
it, and its id lets the bus drop a repetition.
"""

import asyncio
import contextlib
from typing import Any

import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from prometheus_client import CollectorRegistry, Counter, Gauge

from bus import lanes
from bus.address import BusAddress
from bus.broker import declare_stream
from storage import Database, tracing
from storage.events import clear_outbox, take_outbox

log = structlog.get_logger(__name__)

# Other processes say with this subject that they have put something into the outbox.
WAKE = "relay.wake"
BATCH = 500
# When nobody calls: how long a message waits at worst, in seconds.
POLL_S = 0.25
RETRY_S = 1.0
# A confirmation that was lost with its connection never comes; what it belonged to is sent
# again after this, and an alarm waits no longer for a broker that has come back.
CONFIRM_S = 5.0


class RelayMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.relayed = Counter("ringward_bus_relayed", "Messages the bus has confirmed.", registry=registry)
        self.failures = Counter("ringward_bus_relay_failures", "Batches that failed.", registry=registry)
        self.waiting = Gauge("ringward_bus_outbox_messages", "Messages waiting.", registry=registry)


class Relay:
    """One a database. `wake()` may be called from any thread of the process."""

    def __init__(self, database: Database, address: BusAddress, metrics: RelayMetrics) -> None:
        self._database = database
        self._address = address
        self._metrics = metrics
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client = Client()

    @property
    def connected(self) -> bool:
        return self._client.is_connected

    def wake(self) -> None:
        """Says that there is something in the outbox."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    async def run(self) -> None:
        """Relays until cancelled."""
        self._loop = asyncio.get_running_loop()
        await self._client.connect(self._address.servers, **self._address.options())
        try:
            jetstream = self._client.jetstream()
            await declare(jetstream, self._address.replicas)

            async def woken(_message: Any) -> None:
                self._wake.set()

            await self._client.subscribe(WAKE, cb=woken)
            while True:
                try:
                    moved = await self._relay_batch(jetstream)
                except Exception as error:  # noqa: BLE001 - whatever it is, the batch is still there
                    # Fail open: what was committed stays in the outbox and is tried again.
                    self._metrics.failures.inc()
                    log.warning("relay.batch_failed", error=type(error).__name__)
                    # Confirmations lost with a connection hold their places for ever.
                    jetstream = self._client.jetstream()
                    await asyncio.sleep(RETRY_S)
                    continue
                if moved < BATCH:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), POLL_S)
                    self._wake.clear()
        finally:
            await self._client.close()

    async def _relay_batch(self, jetstream: JetStreamContext) -> int:
        waiting = await asyncio.to_thread(self._take)
        if not waiting:
            self._metrics.waiting.set(0)
            return 0
        confirmations = [
            await jetstream.publish_async(subject, payload, headers=_headers(message_id, trace))
            for _, message_id, subject, payload, trace in waiting
        ]
        confirmed, lost = await asyncio.wait(confirmations, timeout=CONFIRM_S)
        failed = [error for error in (item.exception() for item in confirmed) if error is not None]
        stored = [
            row[0]
            for row, item in zip(waiting, confirmations, strict=True)
            if item in confirmed and item.exception() is None
        ]
        if stored:
            await asyncio.to_thread(self._clear, stored)
            self._metrics.relayed.inc(len(stored))
        self._metrics.waiting.set(len(waiting) - len(stored))
        if failed:
            raise failed[0]
        if lost:
            raise TimeoutError
        return len(stored)

    def _take(self) -> list[tuple[int, str, str, bytes, str | None]]:
        with self._database.read() as session:
            return list(take_outbox(session, BATCH))

    def _clear(self, seqs: list[int]) -> None:
        with self._database.write() as session:
            clear_outbox(session, seqs)


def _headers(message_id: str, trace: str | None) -> dict[str, str]:
    known = {"Nats-Msg-Id": message_id}
    return known if trace is None else known | {tracing.HEADER: trace}


async def declare(jetstream: JetStreamContext, replicas: int = 1) -> None:
    """Makes the stream and the lanes, or adapts those of an older version."""
    await declare_stream(jetstream, replicas)
    try:
        # Before the first message of a new form: an older lane would pass it over.
        await lanes.declare(jetstream, replicas=replicas)
    except Exception as error:  # noqa: BLE001 - alarms do not wait for whatever is wrong with a lane
        log.warning("relay.lanes_not_declared", error=type(error).__name__)

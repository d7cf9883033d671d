"""The MQTT side of ingest: receive, hand over, acknowledge after the commit.

The network thread queues what comes and sends what is settled. One writer thread drains
what is there (greedily, no timer), commits it at once, and hands the batch back to be
acknowledged. An acknowledgement carries the epoch of the connection it belongs to, since
packet ids are used again after a reconnect.
"""

import contextlib
import datetime as dt
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from prometheus_client import CollectorRegistry, Counter, Gauge

from bus.login import BrokerLogin
from ingest.arrival import Arrival, Settled
from ingest.intake import Intake
from ingest.mqtt import packets
from ingest.mqtt.deliveries import Copy, Deliveries
from ingest.mqtt.network import NetworkThread
from ingest.share import EVERYTHING
from storage import Clock

log = structlog.get_logger(__name__)

# Half of what the broker may have in flight, so that one batch comes while the other is committed.
BATCH_MESSAGES = 500
# A batch of pictures must not hold the commit of a forced door back for long.
BATCH_BYTES = 16 * 1024 * 1024
# Waiting messages at which the network thread stops reading: TCP then holds the broker back.
QUEUE_BYTES = 256 * 1024 * 1024
RETRY_S = 1.0


class SubscriberMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.connected = Gauge("ringward_ingest_connected", "1 while the broker answers.", registry=registry)
        self.failures = Counter("ringward_ingest_failed_commits", "Commits that failed.", registry=registry)
        self.stale = Counter(
            "ringward_ingest_stale_acks", "Acknowledgements of a lost connection.", registry=registry
        )
        self.repeated = Counter(
            "ringward_ingest_repeated_deliveries",
            "Copies of messages that had come on the same connection.",
            registry=registry,
        )
        self.queued = Gauge("ringward_ingest_queued_bytes", "Received, not committed.", registry=registry)


class _Waiting(msgspec.Struct, frozen=True):
    epoch: int
    mid: int
    qos: int
    arrival: Arrival


class Subscriber:
    """One active a broker client id; its session at the broker persists."""

    def __init__(
        self,
        login: BrokerLogin,
        intake: Intake,
        clock: Clock,
        metrics: SubscriberMetrics,
        on_commit: Callable[[], None],
        may_connect: Callable[[], bool] = lambda: True,
        filters: Sequence[str] = EVERYTHING.filters(),
    ) -> None:
        self._login = login
        self._filters = tuple(filters)
        self._intake = intake
        self._clock = clock
        self._metrics = metrics
        self._on_commit = on_commit
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._queued_bytes = 0
        self._room = threading.Condition()
        self._epoch = 0
        self._deliveries = Deliveries()
        self._stopping = threading.Event()
        self._subscribed = threading.Event()
        self.listening_since: dt.datetime | None = None
        self._settled: queue.SimpleQueue[list[tuple[_Waiting, Settled]]] = queue.SimpleQueue()
        self._client = self._make_client()
        self._network = NetworkThread(self._client, login.hosts(), self._send_settled, may_connect)
        self._writer = threading.Thread(target=self._write, name="ingest-writer", daemon=True)

    @property
    def connected(self) -> bool:
        """True while the broker has granted the subscription."""
        return self._subscribed.is_set()

    def start(self) -> None:
        """Begins to receive; keeps trying while the broker is away."""
        self._writer.start()
        self._network.start()

    def stop(self) -> None:
        """Stops receiving, commits and acknowledges what is queued, then leaves the broker."""
        self._stopping.set()
        self._queue.put(None)
        self._writer.join(timeout=30)
        self._network.stop()

    def _make_client(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._login.client_id,
            # The broker keeps what arrives while we are away.
            clean_session=False,
            protocol=mqtt.MQTTv311,
            manual_ack=True,
        )
        if self._login.user is not None:
            client.username_pw_set(self._login.user, self._login.password)
        if self._login.tls is not None:
            client.tls_set_context(self._login.tls.context())
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _on_connect(
        self, client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            log.error("ingest.refused_by_broker", reason=str(reason))
            return
        self._epoch += 1
        self._deliveries.clear()
        client.subscribe([(wanted, 1) for wanted in self._filters])

    def _on_subscribe(
        self, _client: mqtt.Client, _data: Any, _mid: int, codes: list[ReasonCode], _properties: Any
    ) -> None:
        if any(code.is_failure for code in codes):
            log.error("ingest.subscription_refused", codes=[str(code) for code in codes])
            return
        self.listening_since = self._clock.now()
        self._subscribed.set()
        self._metrics.connected.set(1)
        host, port = self._network.address
        log.info("ingest.listening", host=host, port=port)

    def _on_disconnect(
        self, _client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        self._subscribed.clear()
        self._metrics.connected.set(0)
        if not self._stopping.is_set():
            log.warning("ingest.disconnected", reason=str(reason))

    def _on_message(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "\ufffd"
        payload = bytes(message.payload)
        if message.qos:
            copy = self._deliveries.take(message.mid, topic, payload, again=message.dup)
            if copy is not Copy.NONE:
                self._metrics.repeated.inc()
                if copy is Copy.SAFE:
                    client.ack(message.mid, message.qos)
                return
        arrival = Arrival(topic, payload, self._clock.now(), message.retain, message.dup)
        size = len(payload)
        with self._room:
            while self._queued_bytes > QUEUE_BYTES and not self._stopping.is_set():
                self._room.wait(0.5)
            self._queued_bytes += size
        self._queue.put(_Waiting(self._epoch, message.mid, message.qos, arrival))

    def _write(self) -> None:
        while True:
            first = self._queue.get()
            batch = [] if first is None else [first, *self._drain(len(first.arrival.payload))]
            if batch:
                self._commit(batch)
            if self._stopping.is_set() and self._queue.empty():
                return

    def _drain(self, size: int) -> list[_Waiting]:
        more: list[_Waiting] = []
        with contextlib.suppress(queue.Empty):
            while len(more) < BATCH_MESSAGES - 1 and size < BATCH_BYTES:
                item = self._queue.get_nowait()
                if item is not None:
                    more.append(item)
                    size += len(item.arrival.payload)
        return more

    def _commit(self, batch: list[_Waiting]) -> None:
        """Commits until it works: what cannot be stored is not acknowledged (fail secure)."""
        while True:
            try:
                settled = self._intake.process([item.arrival for item in batch])
                break
            except Exception:
                self._metrics.failures.inc()
                log.exception("ingest.commit_failed", messages=len(batch))
                if self._stopping.is_set():
                    # Unacknowledged: the broker delivers them again after the restart.
                    return
                self._stopping.wait(RETRY_S)
        self._on_commit()
        with self._room:
            self._queued_bytes -= sum(len(item.arrival.payload) for item in batch)
            self._room.notify()
        self._metrics.queued.set(self._queued_bytes)
        self._settled.put(list(zip(batch, settled, strict=True)))
        self._network.wake()

    def _send_settled(self) -> None:
        """In the network thread: acknowledges what has been committed, then answers the devices."""
        with contextlib.suppress(queue.Empty):
            while True:
                batch = self._settled.get_nowait()
                # Acknowledgements first: they make the broker send on while we answer.
                sent = [packets.puback(item.mid) for item, _ in batch if self._is_acknowledged(item)]
                for _, settled in batch:
                    for answer in settled.answers:
                        if answer.qos == 0:
                            sent.append(packets.publish(answer.topic, answer.payload))
                        else:
                            self._client.publish(answer.topic, answer.payload, qos=answer.qos)
                self._network.send(b"".join(sent))

    def _is_acknowledged(self, item: _Waiting) -> bool:
        """Whether the broker is told that a message is safe; it asks for it at QoS 1."""
        if item.qos == 0:
            return False
        if item.epoch != self._epoch:
            # The broker delivers it again on the new connection, as a repeat.
            self._metrics.stale.inc()
            return False
        self._deliveries.safe(item.mid)
        return True
